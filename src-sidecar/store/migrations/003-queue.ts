/** One row less, or one more, in the sums of `pending_work`. */
const taken = `
  UPDATE pending_work SET jobs = jobs - 1, images = images - (old.images_wanted - old.images_done), load = load - old.load_left
  WHERE pinned_to = coalesce(old.pinned_to, '') AND model_key = coalesce(old.model_key, '') AND shape = old.shape;`
const given = `
  INSERT INTO pending_work (pinned_to, model_key, shape, jobs, images, load)
  VALUES (coalesce(new.pinned_to, ''), coalesce(new.model_key, ''), new.shape, 1, new.images_wanted - new.images_done, new.load_left)
  ON CONFLICT DO UPDATE SET jobs = jobs + 1, images = images + excluded.images, load = load + excluded.load;`
const whatCounts = 'state, images_wanted, images_done, image_load, shape, pinned_to, model_key'

export const orderedQueue = `
-- 1 before 0 before -1; within one, by position.
ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
-- What the time for a step depends on (size, passes), and how much work an image is, in thousands of pixels times steps.
ALTER TABLE jobs ADD COLUMN shape TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN image_load INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN load_left INTEGER AS (image_load * (images_wanted - images_done)) VIRTUAL;
UPDATE jobs SET
  shape = coalesce(json_extract(recipe, '$.width') || 'x' || json_extract(recipe, '$.height'), ''),
  image_load = coalesce(json_extract(recipe, '$.width') * json_extract(recipe, '$.height') / 1024 * json_extract(recipe, '$.steps'), 0);

-- A partial index serves a query only where both say the same: one for each state that is asked for. The pending one has all that
-- a claim and a sum look at, so that neither reads a recipe.
DROP INDEX jobs_pending;
DROP INDEX jobs_open;
CREATE INDEX jobs_running ON jobs (id) WHERE state = 'running';
CREATE INDEX jobs_interrupted ON jobs (id) WHERE state = 'interrupted';
CREATE INDEX jobs_pending ON jobs (priority DESC, position, id, pinned_to, model_key, load_left) WHERE state = 'queued';

-- Sums over the pending jobs, kept by triggers, so that a queue of 100,000 is not counted at each event.
CREATE TABLE pending_work (
  pinned_to TEXT NOT NULL,
  model_key TEXT NOT NULL,
  shape TEXT NOT NULL,
  jobs INTEGER NOT NULL,
  images INTEGER NOT NULL,
  load INTEGER NOT NULL,
  PRIMARY KEY (pinned_to, model_key, shape)
) STRICT, WITHOUT ROWID;
INSERT INTO pending_work
  SELECT coalesce(pinned_to, ''), coalesce(model_key, ''), shape, count(*), sum(images_wanted - images_done), sum(load_left)
  FROM jobs WHERE state = 'queued' GROUP BY 1, 2, 3;
CREATE TRIGGER pending_work_added AFTER INSERT ON jobs WHEN new.state = 'queued' BEGIN ${given} END;
CREATE TRIGGER pending_work_left AFTER UPDATE OF ${whatCounts} ON jobs WHEN old.state = 'queued' BEGIN ${taken} END;
CREATE TRIGGER pending_work_came AFTER UPDATE OF ${whatCounts} ON jobs WHEN new.state = 'queued' BEGIN ${given} END;
CREATE TRIGGER pending_work_removed AFTER DELETE ON jobs WHEN old.state = 'queued' BEGIN ${taken} END;

-- What the latest images took, in milliseconds for a unit of work, by what that depends on.
CREATE TABLE pace (
  backend_id TEXT NOT NULL,
  model_key TEXT NOT NULL,
  shape TEXT NOT NULL,
  recent TEXT NOT NULL,
  PRIMARY KEY (backend_id, model_key, shape)
) STRICT, WITHOUT ROWID;
`
