/** Images of several stages: the table is made anew, for its UNIQUE can't be changed. */
export const pipeline = `
CREATE TABLE staged_images (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id INTEGER NOT NULL REFERENCES jobs (id),
  image_index INTEGER NOT NULL,
  -- Which of the recipe's stages made it, from 0.
  stage INTEGER NOT NULL DEFAULT 0,
  -- 1: a later stage went on with it, so that it is not what the job was for.
  intermediate INTEGER NOT NULL DEFAULT 0,
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
  UNIQUE (job_id, image_index, stage)
) STRICT;
INSERT INTO staged_images (id, job_id, image_index, path, width, height, size_bytes, seed, checkpoint, backend, duration_ms, parameters, created_at_ms)
  SELECT id, job_id, image_index, path, width, height, size_bytes, seed, checkpoint, backend, duration_ms, parameters, created_at_ms FROM images;
DROP TABLE images;
ALTER TABLE staged_images RENAME TO images;
CREATE INDEX images_intermediate ON images (job_id) WHERE intermediate = 1;

-- The image of a job that is between two stages, where what the one before has made is not kept: a file of the work folder.
CREATE TABLE unfinished_images (
  job_id INTEGER PRIMARY KEY REFERENCES jobs (id),
  image_index INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  path TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  seed INTEGER NOT NULL,
  checkpoint TEXT NOT NULL,
  backend TEXT NOT NULL,
  duration_ms INTEGER NOT NULL,
  parameters TEXT NOT NULL
) STRICT;
`
