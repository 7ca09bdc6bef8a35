PRAGMA application_id = 1919247724;
PRAGMA user_version = 11;
PRAGMA journal_mode = WAL;
BEGIN TRANSACTION;
CREATE TABLE artifacts (
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
INSERT INTO "artifacts" VALUES('53e50c3a42adda64','thumbnail','thumbnails/shoe/plain/fate=succeeded/take-1.jpg','6cb620d67a5a3e3deaa2f43824a113417aefab99e1342a255aaa94d8e04ac383',45,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "artifacts" VALUES('53e50c3a42adda64','video','videos/shoe/plain/fate=succeeded/take-1.mp4','9c0972d245cfc901e63a282c08a5ea12b7678dc0a0ab891b94bdce817101db22',41,5.0,64,36,24.0,'h264');
INSERT INTO "artifacts" VALUES('82f9b9f263e81245','thumbnail','thumbnails/shoe/plain/fate=gone/take-1.jpg','7acffae61e3662e97436849e72235b194c94834bd781d46804a297b4ef0aec0a',40,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "artifacts" VALUES('82f9b9f263e81245','video','videos/shoe/plain/fate=gone/take-1.mp4','dfa80f2afd2bb159e194fb36f8ad4a5dfa626cb7e31c19269309bfb7dc1be1d3',36,5.0,64,36,24.0,'h264');
INSERT INTO "artifacts" VALUES('99dd122b255ee7ed','thumbnail','thumbnails/shoe/plain/fate=retried/take-1.jpg','6369f3baacecfce13ea37c82d32e4aa24b7b9a319b46145d416389a590fb62fb',43,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "artifacts" VALUES('99dd122b255ee7ed','video','videos/shoe/plain/fate=retried/take-1.mp4','15402726ce9cca6511046a9eed2304b6293a892e0d6c6dea9d6bd99249674fbf',39,5.0,64,36,24.0,'h264');
CREATE TABLE asked_takes (
  cell     TEXT NOT NULL,                 -- the fingerprint of the first take of the cell
  take     INTEGER NOT NULL,              -- in place of this one
  number   INTEGER NOT NULL,              -- the cell has at least so many takes
  reviewer TEXT NOT NULL,                 -- who asked
  PRIMARY KEY (cell, take)
) STRICT, WITHOUT ROWID;
INSERT INTO "asked_takes" VALUES('b7bfbc87bd5309a4df9e549541eb5e7dd8d7c2a2e65ff89f8d11e4031cd5a512',1,2,'ann');
CREATE TABLE attempts (
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
INSERT INTO "attempts" VALUES(1,'82f9b9f263e81245','request-1',250000000,'USD',1764000000.0,NULL,'',NULL,NULL,NULL,NULL,NULL,1764000001.0,NULL,'success','succeeded',NULL,1764000062.0);
INSERT INTO "attempts" VALUES(2,'dae52ae499bc96ee','request-2',250000000,'USD',1764000000.0,NULL,'',NULL,NULL,NULL,NULL,NULL,1764000001.0,NULL,'processing',NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(3,'53e50c3a42adda64','request-3',NULL,'USD',1764000000.0,NULL,'',NULL,NULL,NULL,NULL,NULL,1764000001.0,NULL,'success','succeeded',NULL,1764000062.0);
INSERT INTO "attempts" VALUES(4,'99dd122b255ee7ed','request-4',250000000,'USD',1764000000.0,NULL,'',NULL,NULL,NULL,NULL,NULL,1764000001.0,NULL,'processing','failed','policy: no',1764000030.0);
INSERT INTO "attempts" VALUES(5,'99dd122b255ee7ed','request-5',250000000,'USD',1764000100.0,NULL,'',NULL,NULL,NULL,NULL,NULL,1764000101.0,NULL,'success','succeeded',NULL,1764000162.0);
INSERT INTO "attempts" VALUES(6,'d151c52f88e5054e','request-6',250000000,'USD',1764000000.0,NULL,'',NULL,NULL,NULL,NULL,NULL,1764000001.0,NULL,'processing','failed','policy: no',1764000030.0);
INSERT INTO "attempts" VALUES(7,'0ea9449a873bd06f',NULL,250000000,'USD',1764000000.0,NULL,'',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'rejected','400: no',1764000001.0);
INSERT INTO "attempts" VALUES(8,'9c19dd06287d8a64','request-8',250000000,'USD',1764000000.0,NULL,'',NULL,NULL,NULL,NULL,NULL,1764000001.0,NULL,'processing','cancelled','cancelled by its owner',1764000030.0);
INSERT INTO "attempts" VALUES(9,'2f8707f17a1aa871','request-9',250000000,'USD',1764000000.0,NULL,'',NULL,NULL,NULL,NULL,NULL,1764000001.0,NULL,'processing',NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(10,'1b6bae32f2c7aa72','request-10',250000000,'USD',1764000000.0,NULL,'',NULL,NULL,NULL,NULL,NULL,1764000001.0,NULL,'success',NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(11,'d6589e4e79e8907c','request-11',250000000,'USD',1764000000.0,NULL,'',NULL,NULL,NULL,NULL,NULL,1764000001.0,NULL,'processing',NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(12,'96c2b53f3d29dc97',NULL,250000000,'USD',1764000000.0,NULL,'',NULL,1764000002.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'the connection was reset',NULL);
INSERT INTO "attempts" VALUES(13,'a64a57d9ad678f43',NULL,250000000,'USD',1764000000.0,NULL,'',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES(14,'96570b83dbde68cb',NULL,250000000,'USD',1764000000.0,NULL,'',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'unknown','given up with --resubmit-unknown',1764000500.0);
CREATE TABLE "jobs" (
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
INSERT INTO "jobs" VALUES('82f9b9f263e81245','b7bfbc87bd5309a4df9e549541eb5e7dd8d7c2a2e65ff89f8d11e4031cd5a512',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, gone","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=gone/take-1','[]','shoe','plain','{"fate":"gone"}',1,0,'succeeded','',NULL);
INSERT INTO "jobs" VALUES('dae52ae499bc96ee','cb762749fed6eccbb66999515e8cf9075377e7a5d955abfa63386a1a3f4e8c31',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, leaving","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=leaving/take-1','[]','shoe','plain','{"fate":"leaving"}',1,1,'waiting','processing',NULL);
INSERT INTO "jobs" VALUES('53e50c3a42adda64','e08e4dda10e5a8aa8ba64eacb07fe9da4df8891e3e2778560958a5ea61be2cdf',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, succeeded","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=succeeded/take-1','[]','shoe','plain','{"fate":"succeeded"}',3,0,'succeeded','',NULL);
INSERT INTO "jobs" VALUES('99dd122b255ee7ed','7d9ffb3bb1d1b9a4d89d059c85a03976ce51a97da1daa40f1a4e572fff85510a',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, retried","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=retried/take-1','[]','shoe','plain','{"fate":"retried"}',3,1,'succeeded','',NULL);
INSERT INTO "jobs" VALUES('d151c52f88e5054e','b0de1ef8888ce23322d031a811893919861ea440435ca8f87edb40c0afeb3b37',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, failed","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=failed/take-1','[]','shoe','plain','{"fate":"failed"}',3,2,'failed','','policy: no');
INSERT INTO "jobs" VALUES('0ea9449a873bd06f','efd73e0d32ea82fcd1ce8d8976bfba55021b5a8c2477dbff3d18e739457029d4',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, rejected","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=rejected/take-1','[]','shoe','plain','{"fate":"rejected"}',3,3,'rejected','','400: no');
INSERT INTO "jobs" VALUES('9c19dd06287d8a64','37d81376f52f83061abca96c6462d3b6e96bebca40e040d969f40286f0a59eb2',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, cancelled","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=cancelled/take-1','[]','shoe','plain','{"fate":"cancelled"}',3,4,'cancelled','','cancelled by its owner');
INSERT INTO "jobs" VALUES('2f8707f17a1aa871','10d454076c8c6f0a01cacd31701cda6ddcb9b8bb95426e4a57e03fdb178e0ff2',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, processing","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=processing/take-1','[]','shoe','plain','{"fate":"processing"}',3,5,'waiting','processing',NULL);
INSERT INTO "jobs" VALUES('1b6bae32f2c7aa72','49d0c7236fe035949cdf19a75ad7ce40e97b8572d1196f72f0c189fafe19528a',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, finished","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=finished/take-1','[]','shoe','plain','{"fate":"finished"}',3,6,'waiting','success',NULL);
INSERT INTO "jobs" VALUES('d6589e4e79e8907c','52da7ac912cd591a7e9f352b91c7fbc4952fee17d50f5f1bff44f3322173964e',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, doubted","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=doubted/take-1','[]','shoe','plain','{"fate":"doubted"}',3,7,'unknown','the service does not know request 11 (404)',NULL);
INSERT INTO "jobs" VALUES('96c2b53f3d29dc97','7272dbc02ceeabbcb5d727db5d85d90b75a91b567a5ea3e6a227647548432857',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, lost","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=lost/take-1','[]','shoe','plain','{"fate":"lost"}',3,8,'unknown','the connection was reset',NULL);
INSERT INTO "jobs" VALUES('a64a57d9ad678f43','9ed95a7d706aa47bd6eaf32f3a2facf8cfa80b89da80b43172d4a0e8bd9473fd',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, intended","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=intended/take-1','[]','shoe','plain','{"fate":"intended"}',3,9,'unknown','submission on its way',NULL);
INSERT INTO "jobs" VALUES('96570b83dbde68cb','afe1c01a6563231cf973b294d911c93ab020a05c175b8d9e675741168fa8be31',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, given up","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=given-up/take-1','[]','shoe','plain','{"fate":"given up"}',3,10,'pending','','given up with --resubmit-unknown');
INSERT INTO "jobs" VALUES('0f57a3f74f971a1f','28aa1309a4c754c89c09f0268cacb23aa1fccb57594203aa81d32f7b84d1d2c0',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, withdrawn","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=withdrawn/take-1','[]','shoe','plain','{"fate":"withdrawn"}',3,11,'pending','no connection',NULL);
INSERT INTO "jobs" VALUES('e56009d17ae155bb','2c4ef1d630beaa2a54ca4049e60e21e1417f570792bbafa6e23937463fdf1d6b',1,'Kling-Image2Video-V1.6-Standard','{"prompt":"A shoe on wet rock, pending","negative_prompt":"","duration":"5","cfg_scale":0.5,"image":"https://example.com/shoe.jpg"}',5.0,'shoe/plain/fate=pending/take-1','[]','shoe','plain','{"fate":"pending"}',3,12,'pending','',NULL);
CREATE TABLE clip_credentials (
  sha256      TEXT PRIMARY KEY NOT NULL,
  present     INTEGER NOT NULL CHECK (present IN (0, 1)),
  state       TEXT,                       -- NULL: nobody could tell
  issuer      TEXT,
  source_type TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO "clip_credentials" VALUES('9c0972d245cfc901e63a282c08a5ea12b7678dc0a0ab891b94bdce817101db22',1,'valid','somebody','trainedAlgorithmicMedia');
CREATE TABLE inherited_attempts (
  number INTEGER PRIMARY KEY NOT NULL
) STRICT;
CREATE TABLE further_videos (
  job_id TEXT NOT NULL REFERENCES jobs (id),
  path   TEXT NOT NULL,                   -- relative to the output folder, with forward slashes
  sha256 TEXT NOT NULL,
  bytes  INTEGER NOT NULL,
  PRIMARY KEY (job_id, path)
) STRICT, WITHOUT ROWID;
CREATE TABLE measured_clips (
  sha256    TEXT PRIMARY KEY NOT NULL,
  version   INTEGER NOT NULL,             -- of the measuring: what an older one measured may be measured again
  has_flow  INTEGER NOT NULL,             -- whether OpenCV was there
  measures  TEXT NOT NULL,                -- JSON object
  spans     TEXT NOT NULL,                -- JSON object
  signature BLOB NOT NULL,
  note      TEXT NOT NULL                 -- what went wrong; empty if nothing did
) STRICT, WITHOUT ROWID;
INSERT INTO "measured_clips" VALUES('9c0972d245cfc901e63a282c08a5ea12b7678dc0a0ab891b94bdce817101db22',1,1,'{"frozen": 0.5, "black": 0.0, "cuts": 0, "flash": 0, "flicker": 0.1, "motion": 0.01, "sharpness": 1.0, "drift": 0.2, "first_frame": 0.9, "last_frame": null, "zoom": 1.2, "pan": 0.0, "tilt": 0.0, "roll": 0.0, "wobble": 0.001, "sound": false}','{"frozen": [[2.5, 5.0]]}',X'1020','');
CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('generation','3');
INSERT INTO "meta" VALUES('plan','466e5a062a3eec069926fc92f263d8a96aeaac52f063ce6c99c1ee39ecd5a202');
INSERT INTO "meta" VALUES('service','sandbox');
INSERT INTO "meta" VALUES('state','b58962a48a37d6214363cfda5ba83794');
CREATE TABLE mirrored (
  mirror  TEXT NOT NULL,                  -- its address
  sha256  TEXT NOT NULL,
  path    TEXT NOT NULL,                  -- below that address
  bytes   INTEGER NOT NULL,
  version TEXT NOT NULL,                  -- what the store calls this content of the object (its ETag)
  PRIMARY KEY (mirror, sha256),
  UNIQUE (mirror, path)
) STRICT, WITHOUT ROWID;
INSERT INTO "mirrored" VALUES('s3://campaigns/spring','9c0972d245cfc901e63a282c08a5ea12b7678dc0a0ab891b94bdce817101db22','videos/shoe/plain/fate=succeeded/take-1.mp4',41,'"0123"');
CREATE TABLE model_facts (
  model TEXT NOT NULL,
  fact  TEXT NOT NULL CHECK (fact IN ('untimed', 'sync', 'alias', 'rewritten', 'hidden')),
  name  TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (model, fact, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE moves (
  number INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL UNIQUE REFERENCES jobs (id),
  folded TEXT NOT NULL UNIQUE,            -- the new path is taken from now on
  path   TEXT NOT NULL,
  former TEXT                             -- as `paths` will have it
) STRICT;
CREATE TABLE paths (        -- a path has one holder
  folded TEXT PRIMARY KEY,                -- the path as a disk sees it that ignores case and Unicode normal forms
  path   TEXT NOT NULL,
  job_id TEXT NOT NULL UNIQUE REFERENCES jobs (id),
  former TEXT                             -- where it was before it made room as an orphan
) STRICT, WITHOUT ROWID;
INSERT INTO "paths" VALUES('shoe/plain/fate=cancelled/take-1','shoe/plain/fate=cancelled/take-1','9c19dd06287d8a64',NULL);
INSERT INTO "paths" VALUES('shoe/plain/fate=doubted/take-1','shoe/plain/fate=doubted/take-1','d6589e4e79e8907c',NULL);
INSERT INTO "paths" VALUES('shoe/plain/fate=failed/take-1','shoe/plain/fate=failed/take-1','d151c52f88e5054e',NULL);
INSERT INTO "paths" VALUES('shoe/plain/fate=finished/take-1','shoe/plain/fate=finished/take-1','1b6bae32f2c7aa72',NULL);
INSERT INTO "paths" VALUES('shoe/plain/fate=given-up/take-1','shoe/plain/fate=given-up/take-1','96570b83dbde68cb',NULL);
INSERT INTO "paths" VALUES('shoe/plain/fate=gone/take-1','shoe/plain/fate=gone/take-1','82f9b9f263e81245',NULL);
INSERT INTO "paths" VALUES('shoe/plain/fate=intended/take-1','shoe/plain/fate=intended/take-1','a64a57d9ad678f43',NULL);
INSERT INTO "paths" VALUES('shoe/plain/fate=leaving/take-1','shoe/plain/fate=leaving/take-1','dae52ae499bc96ee',NULL);
INSERT INTO "paths" VALUES('shoe/plain/fate=lost/take-1','shoe/plain/fate=lost/take-1','96c2b53f3d29dc97',NULL);
INSERT INTO "paths" VALUES('shoe/plain/fate=processing/take-1','shoe/plain/fate=processing/take-1','2f8707f17a1aa871',NULL);
INSERT INTO "paths" VALUES('shoe/plain/fate=rejected/take-1','shoe/plain/fate=rejected/take-1','0ea9449a873bd06f',NULL);
INSERT INTO "paths" VALUES('shoe/plain/fate=retried/take-1','shoe/plain/fate=retried/take-1','99dd122b255ee7ed',NULL);
INSERT INTO "paths" VALUES('shoe/plain/fate=succeeded/take-1','shoe/plain/fate=succeeded/take-1','53e50c3a42adda64',NULL);
INSERT INTO "paths" VALUES('shoe/plain/fate=withdrawn/take-1','shoe/plain/fate=withdrawn/take-1','0f57a3f74f971a1f',NULL);
CREATE TABLE plans (
  generation INTEGER PRIMARY KEY,
  manifest   TEXT NOT NULL,               -- its path, relative to the folder of the state
  digest     TEXT NOT NULL,               -- of all that decides its jobs; empty: not known
  index_name TEXT UNIQUE                  -- the stem of its index files; NULL: the last plan of an older state, which did
                                          -- not say whose it was. The manifest that is planned first has it once
) STRICT;
INSERT INTO "plans" VALUES(3,'../campaign.yaml','a48f7fdca23a4a7eceb8fa065e4cfb315d9da3368d850551877fa721a1749df4','index');
CREATE TABLE retakes (
  job_id TEXT PRIMARY KEY NOT NULL REFERENCES jobs (id)
) STRICT, WITHOUT ROWID;
CREATE TABLE seen_requests (
  request_id TEXT PRIMARY KEY NOT NULL,
  attempts   INTEGER NOT NULL             -- the highest attempt number when it was seen first
) STRICT, WITHOUT ROWID;
CREATE TABLE sent_addresses (
  attempt   INTEGER NOT NULL REFERENCES attempts (number),
  reference TEXT NOT NULL,
  address   TEXT NOT NULL,
  PRIMARY KEY (attempt, reference)
) STRICT, WITHOUT ROWID;
INSERT INTO "sent_addresses" VALUES(7,'sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a','https://storage.googleapis.com/gmi-video-assests-prod/uploads/shoe.jpg');
CREATE TABLE service_times (
  model   TEXT NOT NULL,
  seconds REAL NOT NULL,                  -- asked length of the video; 0 where there is none
  place   INTEGER NOT NULL,
  number  INTEGER NOT NULL,               -- of the attempt: the higher, the later
  since   REAL NOT NULL,                  -- it was unfinished at this age (seconds since it was started),
  until   REAL NOT NULL,                  -- and had ended at this one
  PRIMARY KEY (model, seconds, place)
) STRICT, WITHOUT ROWID;
INSERT INTO "service_times" VALUES('Kling-Image2Video-V1.6-Standard',5.0,1,1,0.5,0.6);
INSERT INTO "service_times" VALUES('Kling-Image2Video-V1.6-Standard',5.0,3,3,0.5,0.6);
INSERT INTO "service_times" VALUES('Kling-Image2Video-V1.6-Standard',5.0,5,5,0.5,0.6);
CREATE TABLE shared (
  job_id     TEXT NOT NULL REFERENCES jobs (id),
  generation INTEGER NOT NULL,
  position   INTEGER NOT NULL,
  PRIMARY KEY (job_id, generation)
) STRICT, WITHOUT ROWID;
CREATE TABLE uploads (
  reference   TEXT NOT NULL,              -- sha256:<hex> of the bytes
  destination TEXT NOT NULL,
  address     TEXT NOT NULL,              -- may be a secret where it is signed: it is in no other file
  uploaded_at REAL NOT NULL,              -- by this machine: an old one is looked at before it is used again
  PRIMARY KEY (reference, destination)
) STRICT, WITHOUT ROWID;
INSERT INTO "uploads" VALUES('sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a','service','https://storage.googleapis.com/gmi-video-assests-prod/uploads/shoe.jpg',1000.0);
CREATE INDEX jobs_by_place ON jobs (generation, position);
CREATE INDEX jobs_by_status ON jobs (status, generation, position);
CREATE INDEX jobs_by_key ON jobs (key) WHERE status <> 'pending';
CREATE TRIGGER one_fingerprint_an_id BEFORE UPDATE OF fingerprint, take ON jobs
WHEN OLD.fingerprint <> NEW.fingerprint OR OLD.take <> NEW.take
BEGIN
  SELECT RAISE(ABORT, 'two requests share one job id');
END;
CREATE INDEX attempts_by_job ON attempts (job_id);
CREATE UNIQUE INDEX one_open_attempt ON attempts (job_id) WHERE outcome IS NULL;
CREATE INDEX attempts_created ON attempts (created_at) WHERE request_id IS NOT NULL;
CREATE INDEX attempts_by_cost ON attempts (outcome, price);
CREATE INDEX shared_by_plan ON shared (generation);
CREATE TRIGGER a_job_of_two_plans BEFORE UPDATE OF generation ON jobs
WHEN OLD.generation <> NEW.generation
  AND EXISTS (SELECT 1 FROM plans WHERE generation = OLD.generation AND index_name IS NOT NULL)
BEGIN
  INSERT INTO shared VALUES (OLD.id, OLD.generation, OLD.position);
END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('attempts',15);
COMMIT;
