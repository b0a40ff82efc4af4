export const filesAndRows = `
-- Images whose file is missing: told by folder, found again or removed.
CREATE INDEX images_missing ON images (id) WHERE missing_at_ms IS NOT NULL;
`
