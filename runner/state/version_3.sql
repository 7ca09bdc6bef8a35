-- Version 3: how long requests took, to know when to ask for the next ones. Of each kind the latest, as `place` goes round.

CREATE TABLE service_times (
  model   TEXT NOT NULL,
  seconds REAL NOT NULL,                  -- asked length of the video; 0 where there is none
  place   INTEGER NOT NULL,
  number  INTEGER NOT NULL,               -- of the attempt: the higher, the later
  since   REAL NOT NULL,                  -- it was unfinished at this age (seconds since it was started),
  until   REAL NOT NULL,                  -- and had ended at this one
  PRIMARY KEY (model, seconds, place)
) STRICT, WITHOUT ROWID;
