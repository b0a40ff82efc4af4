export const filesAndRows = `
-- Images whose file is missing: told by folder, found again or removed.
CREATE INDEX images_missing ON images (id) WHERE missing_at_ms IS NOT NULL;

-- The search knows the rows of packs now: images of packs are put into it again.
UPDATE images SET is_indexed = 0
  WHERE job_id IN (SELECT id FROM jobs WHERE pack_id GLOB 'user/*' OR pack_id GLOB 'example/*');
`
