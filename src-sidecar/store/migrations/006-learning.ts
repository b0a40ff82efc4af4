export const learning = `
CREATE TABLE experiments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- The same in every copy, so that records that are imported twice count once.
  uid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  design TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;

-- Which place in its experiment a job fills.
CREATE TABLE experiment_jobs (
  job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
  experiment_id INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  prompt_row INTEGER NOT NULL,
  value_index INTEGER NOT NULL,
  -- What it was to make, where its recipe was written anew since.
  planned_recipe TEXT,
  UNIQUE (experiment_id, prompt_row, value_index)
) STRICT;
CREATE TRIGGER experiment_job_edited AFTER UPDATE OF recipe ON jobs WHEN new.recipe <> old.recipe BEGIN
  UPDATE experiment_jobs SET planned_recipe = coalesce(planned_recipe, old.recipe) WHERE job_id = new.id;
END;

-- They name no image: what was learned stays when its images are deleted.
CREATE TABLE experiment_answers (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  experiment_id INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  prompt_row INTEGER NOT NULL,
  image_index INTEGER NOT NULL,
  value_a INTEGER NOT NULL,
  -- -1: value_a was rated by itself.
  value_b INTEGER NOT NULL,
  outcome REAL NOT NULL,
  model_a TEXT NOT NULL,
  model_b TEXT NOT NULL,
  answered_at_ms INTEGER NOT NULL,
  UNIQUE (experiment_id, prompt_row, image_index, value_a, value_b)
) STRICT;

-- Ratings of images that this history does not have, by the hash of what the image was made of.
CREATE TABLE imported_ratings (
  record_hash TEXT PRIMARY KEY,
  record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`
