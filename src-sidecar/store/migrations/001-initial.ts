export const initial = `
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  pack_id TEXT NOT NULL,
  pack_name TEXT NOT NULL,
  prompt_index INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued','running','interrupted','completed','failed','cancelled','quarantined')),
  -- Order of the queue; REAL, so that a job can be put between two others.
  position REAL NOT NULL,
  recipe TEXT NOT NULL,
  images_wanted INTEGER NOT NULL,
  images_done INTEGER NOT NULL DEFAULT 0,
  -- The fence: only the run and attempt that claimed a job may report on it.
  run_id TEXT,
  attempt INTEGER NOT NULL DEFAULT 0,
  -- How often it was running when the app or its backend went down.
  crashes INTEGER NOT NULL DEFAULT 0,
  problem_code TEXT,
  problem_message TEXT,
  created_at_ms INTEGER NOT NULL,
  started_at_ms INTEGER,
  ended_at_ms INTEGER
) STRICT;
CREATE INDEX jobs_pending ON jobs (position) WHERE state = 'queued';
CREATE INDEX jobs_open ON jobs (state) WHERE state IN ('running', 'interrupted');
CREATE INDEX jobs_ended ON jobs (ended_at_ms DESC) WHERE ended_at_ms IS NOT NULL;

-- What concerns the queue as a whole: paused.
CREATE TABLE flags (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT;

CREATE TABLE images (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id INTEGER NOT NULL REFERENCES jobs (id),
  image_index INTEGER NOT NULL,
  path TEXT NOT NULL UNIQUE,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  seed INTEGER NOT NULL,
  checkpoint TEXT NOT NULL,
  backend TEXT NOT NULL,
  duration_ms INTEGER NOT NULL,
  parameters TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  UNIQUE (job_id, image_index)
) STRICT;
`
