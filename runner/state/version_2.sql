-- Version 2: jobs are appended in the order of their plans. In version 1 they were rows of a tree sorted by their ids,
-- which are random: a plan of a million jobs wrote each page of a gigabyte many times over. The pair of fingerprint and
-- take needs no index of its own: the id is made from it, and the trigger refuses two pairs of one id.

CREATE TABLE ordered_jobs (
  id          TEXT PRIMARY KEY NOT NULL,
  fingerprint TEXT NOT NULL,
  take        INTEGER NOT NULL CHECK (take >= 1),
  model       TEXT NOT NULL,
  payload     TEXT NOT NULL,
  seconds     REAL,
  key         TEXT NOT NULL,
  aliases     TEXT NOT NULL,
  image       TEXT NOT NULL,
  prompt_id   TEXT NOT NULL,
  variables   TEXT NOT NULL,
  generation  INTEGER NOT NULL,
  position    INTEGER NOT NULL,
  status      TEXT NOT NULL DEFAULT 'pending'
              CHECK (status IN ('pending', 'waiting', 'unknown', 'succeeded', 'failed', 'rejected', 'cancelled')),
  reason      TEXT NOT NULL DEFAULT '',
  error       TEXT
) STRICT;
INSERT INTO ordered_jobs SELECT * FROM jobs ORDER BY generation, position;
DROP TABLE jobs;
ALTER TABLE ordered_jobs RENAME TO jobs;
CREATE INDEX jobs_by_place ON jobs (generation, position);
CREATE INDEX jobs_by_status ON jobs (status, generation, position);
-- Only submitted jobs are looked up by key: what they were tells what changed.
CREATE INDEX jobs_by_key ON jobs (key) WHERE status <> 'pending';
CREATE INDEX attempts_by_cost ON attempts (outcome, price);

CREATE TRIGGER one_fingerprint_an_id BEFORE UPDATE OF fingerprint, take ON jobs
WHEN OLD.fingerprint <> NEW.fingerprint OR OLD.take <> NEW.take
BEGIN
  SELECT RAISE(ABORT, 'two requests share one job id');
END;
