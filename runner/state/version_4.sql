-- Version 4: a job is written as pending, and for that the list of all statuses is not looked through each time.

CREATE TABLE quick_jobs (
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
              CHECK (status = 'pending'
              OR status IN ('waiting', 'unknown', 'succeeded', 'failed', 'rejected', 'cancelled')),
  reason      TEXT NOT NULL DEFAULT '',
  error       TEXT
) STRICT;
INSERT INTO quick_jobs SELECT * FROM jobs ORDER BY rowid;
DROP TABLE jobs;
ALTER TABLE quick_jobs RENAME TO jobs;
CREATE INDEX jobs_by_place ON jobs (generation, position);
CREATE INDEX jobs_by_status ON jobs (status, generation, position);
CREATE INDEX jobs_by_key ON jobs (key) WHERE status <> 'pending';

CREATE TRIGGER one_fingerprint_an_id BEFORE UPDATE OF fingerprint, take ON jobs
WHEN OLD.fingerprint <> NEW.fingerprint OR OLD.take <> NEW.take
BEGIN
  SELECT RAISE(ABORT, 'two requests share one job id');
END;
