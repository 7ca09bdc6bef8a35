-- The truth of a run, version 11. Money is in billionths of its currency. Times that are only shown to people are Unix
-- seconds of this machine; no decision is made by them.
-- What a file has already is left as it is: a migration drops what is to be made anew, and then applies all of this.

CREATE TABLE IF NOT EXISTS meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Not WITHOUT ROWID: rows are appended in the order of their plans. If they were sorted by their ids, which are random,
-- a plan of a million jobs would write each page of a gigabyte many times over.
CREATE TABLE IF NOT EXISTS jobs (
  id          TEXT PRIMARY KEY NOT NULL,  -- 64 bits of fingerprint and take; the trigger refuses two pairs with one id
  fingerprint TEXT NOT NULL,
  take        INTEGER NOT NULL CHECK (take >= 1),
  model       TEXT NOT NULL,
  payload     TEXT NOT NULL,              -- complete, canonical JSON, the picture as its reference
  seconds     REAL,                       -- requested length of the video
  key         TEXT NOT NULL,
  aliases     TEXT NOT NULL,              -- JSON list of keys
  image       TEXT NOT NULL,
  prompt_id   TEXT NOT NULL,
  variables   TEXT NOT NULL,              -- JSON object
  generation  INTEGER NOT NULL,           -- the last registered plan that had this job; `shared` has the other ones
  position    INTEGER NOT NULL,           -- its place in that plan
  -- New jobs are pending. This is compared first, so that the list of statuses is not searched for each of them.
  status      TEXT NOT NULL DEFAULT 'pending'
              CHECK (status = 'pending'
              OR status IN ('waiting', 'unknown', 'succeeded', 'failed', 'rejected', 'cancelled')),
  reason      TEXT NOT NULL DEFAULT '',
  error       TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS jobs_by_place ON jobs (generation, position);
CREATE INDEX IF NOT EXISTS jobs_by_status ON jobs (status, generation, position);
-- Only submitted jobs are looked up by key, to find out what changed since.
CREATE INDEX IF NOT EXISTS jobs_by_key ON jobs (key) WHERE status <> 'pending';

CREATE TRIGGER IF NOT EXISTS one_fingerprint_an_id BEFORE UPDATE OF fingerprint, take ON jobs
WHEN OLD.fingerprint <> NEW.fingerprint OR OLD.take <> NEW.take
BEGIN
  SELECT RAISE(ABORT, 'two requests share one job id');
END;

-- The last plan of each manifest of this state: a job of none of them is orphaned. A plan is known by its generation.
CREATE TABLE IF NOT EXISTS plans (
  generation INTEGER PRIMARY KEY,
  manifest   TEXT NOT NULL,               -- its path, relative to the folder of the state
  digest     TEXT NOT NULL,               -- of all that decides its jobs; empty: not known
  index_name TEXT UNIQUE                  -- the stem of its index files; NULL: the last plan of an older state, which did
                                          -- not say whose it was. The manifest that is planned first has it once
) STRICT;

-- The last plans that have a job besides the one in `jobs`.
CREATE TABLE IF NOT EXISTS shared (
  job_id     TEXT NOT NULL REFERENCES jobs (id),
  generation INTEGER NOT NULL,
  position   INTEGER NOT NULL,
  PRIMARY KEY (job_id, generation)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS shared_by_plan ON shared (generation);

CREATE TRIGGER IF NOT EXISTS a_job_of_two_plans BEFORE UPDATE OF generation ON jobs
WHEN OLD.generation <> NEW.generation
  AND EXISTS (SELECT 1 FROM plans WHERE generation = OLD.generation AND index_name IS NOT NULL)
BEGIN
  INSERT INTO shared VALUES (OLD.id, OLD.generation, OLD.position);
END;

CREATE TABLE IF NOT EXISTS paths (        -- a path has one holder
  folded TEXT PRIMARY KEY,                -- the path as a disk sees it that ignores case and Unicode normal forms
  path   TEXT NOT NULL,
  job_id TEXT NOT NULL UNIQUE REFERENCES jobs (id),
  former TEXT                             -- where it was before it made room as an orphan
) STRICT, WITHOUT ROWID;

-- Renames of finished files that are to be done, in this order: what is here may or may not have happened.
CREATE TABLE IF NOT EXISTS moves (
  number INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL UNIQUE REFERENCES jobs (id),
  folded TEXT NOT NULL UNIQUE,            -- the new path is taken from now on
  path   TEXT NOT NULL,
  former TEXT                             -- as `paths` will have it
) STRICT;

CREATE TABLE IF NOT EXISTS attempts (
  number        INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id        TEXT NOT NULL REFERENCES jobs (id),
  request_id    TEXT UNIQUE,              -- NULL: an intent; the answer is not known (yet)
  price         INTEGER,                  -- NULL: no price was stated
  currency      TEXT NOT NULL,
  intended_at   REAL NOT NULL,            -- committed before the POST
  organisation  TEXT,                     -- whose list shows the request; NULL: not known at the intent
  caller        TEXT NOT NULL DEFAULT '', -- salted digest of the key and GMI_ORG_ID of the intent
  window_start  REAL,                     -- the service's time from which its list may show it; NULL: from its start
  lost_at       REAL,                     -- when the POST's connection was known closed without an answer
  looked_boot   TEXT,                     -- the boot of this machine, and its CLOCK_BOOTTIME, when the first whole
  looked_at     REAL,                     -- list was asked for that did not show the request
  looked_failed TEXT,                     -- JSON: ids of the failed requests in that list that equal this one
  accepted_at   REAL,
  created_at    REAL,                     -- the service's time of the request, as its answer told
  remote_status TEXT,                     -- the last status that the service told
  outcome       TEXT CHECK (outcome IN ('succeeded', 'failed', 'rejected', 'cancelled', 'unknown')),
  error         TEXT,
  finished_at   REAL
) STRICT;
-- Open attempts without an answer whose holder did not hand back its lease of a state in a bucket: it may still wake, so
-- none of them is ever believed absent.
CREATE TABLE IF NOT EXISTS inherited_attempts (
  number INTEGER PRIMARY KEY NOT NULL     -- of the attempt
) STRICT;
CREATE INDEX IF NOT EXISTS attempts_by_job ON attempts (job_id);
-- Never two open attempts of one job: the database itself keeps the promise not to pay twice.
CREATE UNIQUE INDEX IF NOT EXISTS one_open_attempt ON attempts (job_id) WHERE outcome IS NULL;
CREATE INDEX IF NOT EXISTS attempts_created ON attempts (created_at) WHERE request_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS attempts_by_cost ON attempts (outcome, price);

-- Files that were put where the service can read them: once for each content and destination.
CREATE TABLE IF NOT EXISTS uploads (
  reference   TEXT NOT NULL,              -- sha256:<hex> of the bytes
  destination TEXT NOT NULL,
  address     TEXT NOT NULL,              -- may be a secret where it is signed: it is in no other file
  uploaded_at REAL NOT NULL,              -- by this machine: an old one is looked at before it is used again
  PRIMARY KEY (reference, destination)
) STRICT, WITHOUT ROWID;

-- The addresses that an attempt sent in place of files.
CREATE TABLE IF NOT EXISTS sent_addresses (
  attempt   INTEGER NOT NULL REFERENCES attempts (number),
  reference TEXT NOT NULL,
  address   TEXT NOT NULL,
  PRIMARY KEY (attempt, reference)
) STRICT, WITHOUT ROWID;

-- Requests that the service's lists showed and that belong to no attempt: none of them answers a later POST.
CREATE TABLE IF NOT EXISTS seen_requests (
  request_id TEXT PRIMARY KEY NOT NULL,
  attempts   INTEGER NOT NULL             -- the highest attempt number when it was seen first
) STRICT, WITHOUT ROWID;

-- What the answers about our own requests showed of a model: `untimed` and `sync` without a name; `alias` is another
-- name that it goes by, `rewritten` and `hidden` are parameters whose echo differs from what was sent, or is left out.
CREATE TABLE IF NOT EXISTS model_facts (
  model TEXT NOT NULL,
  fact  TEXT NOT NULL CHECK (fact IN ('untimed', 'sync', 'alias', 'rewritten', 'hidden')),
  name  TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (model, fact, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS artifacts (
  job_id  TEXT NOT NULL REFERENCES jobs (id),
  kind    TEXT NOT NULL CHECK (kind IN ('video', 'thumbnail')),
  path    TEXT NOT NULL,                  -- relative to the output folder, with forward slashes
  sha256  TEXT NOT NULL,
  bytes   INTEGER NOT NULL,
  seconds REAL,
  width   INTEGER,
  height  INTEGER,
  fps     REAL,
  codec   TEXT,
  PRIMARY KEY (job_id, kind)
) STRICT, WITHOUT ROWID;

-- How long requests took, to know when to poll the next ones. `place` goes round, so only the latest of a kind stay.
CREATE TABLE IF NOT EXISTS service_times (
  model   TEXT NOT NULL,
  seconds REAL NOT NULL,                  -- requested length of the video; 0 if there is none
  place   INTEGER NOT NULL,
  number  INTEGER NOT NULL,               -- of the attempt: the higher, the later
  since   REAL NOT NULL,                  -- it had not ended at this age (seconds since it was started),
  until   REAL NOT NULL,                  -- and had ended at this one
  PRIMARY KEY (model, seconds, place)
) STRICT, WITHOUT ROWID;

-- What was measured of the clips, once for each content; with the pictures of the job that it was measured for.
CREATE TABLE IF NOT EXISTS measured_clips (
  sha256    TEXT PRIMARY KEY NOT NULL,
  version   INTEGER NOT NULL,             -- of the measuring: what an older one measured may be measured again
  has_flow  INTEGER NOT NULL,             -- whether OpenCV was there
  measures  TEXT NOT NULL,                -- JSON object
  spans     TEXT NOT NULL,                -- JSON object
  signature BLOB NOT NULL,
  note      TEXT NOT NULL                 -- what went wrong; empty if nothing did
) STRICT, WITHOUT ROWID;

-- Takes that somebody asked for in place of others. An ask is committed before anything else is done about it.
CREATE TABLE IF NOT EXISTS asked_takes (
  cell     TEXT NOT NULL,                 -- the fingerprint of the first take of the cell
  take     INTEGER NOT NULL,              -- in place of this one
  number   INTEGER NOT NULL,              -- the cell has at least so many takes
  reviewer TEXT NOT NULL,                 -- who asked
  PRIMARY KEY (cell, take)
) STRICT, WITHOUT ROWID;

-- The Content Credentials (C2PA) that the clips came with, once for each content that was looked at.
CREATE TABLE IF NOT EXISTS clip_credentials (
  sha256      TEXT PRIMARY KEY NOT NULL,
  present     INTEGER NOT NULL CHECK (present IN (0, 1)),
  state       TEXT,                       -- NULL: nobody could tell
  issuer      TEXT,
  source_type TEXT
) STRICT, WITHOUT ROWID;

-- Jobs that were submitted as takes beyond those of their manifest: whoever changes their mind, they stay in its plan.
CREATE TABLE IF NOT EXISTS retakes (
  job_id TEXT PRIMARY KEY NOT NULL REFERENCES jobs (id)
) STRICT, WITHOUT ROWID;

-- Videos beyond the first of a request, which are no clips of the campaign, and were paid for.
CREATE TABLE IF NOT EXISTS further_videos (
  job_id TEXT NOT NULL REFERENCES jobs (id),
  path   TEXT NOT NULL,                   -- relative to the output folder, with forward slashes
  sha256 TEXT NOT NULL,
  bytes  INTEGER NOT NULL,
  PRIMARY KEY (job_id, path)
) STRICT, WITHOUT ROWID;

-- The copies in a bucket, once for each content: written when the bytes there were known to be these.
CREATE TABLE IF NOT EXISTS mirrored (
  mirror  TEXT NOT NULL,                  -- its address
  sha256  TEXT NOT NULL,
  path    TEXT NOT NULL,                  -- below that address
  bytes   INTEGER NOT NULL,
  version TEXT NOT NULL,                  -- what the store calls this content of the object (its ETag)
  PRIMARY KEY (mirror, sha256),
  UNIQUE (mirror, path)
) STRICT, WITHOUT ROWID;
