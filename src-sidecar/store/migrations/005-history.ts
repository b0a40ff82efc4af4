export const history = `
-- What the user thinks of an image, 1 to 5; NULL: not rated.
ALTER TABLE images ADD COLUMN rating INTEGER CHECK (rating BETWEEN 1 AND 5);
ALTER TABLE images ADD COLUMN rated_at_ms INTEGER;
CREATE INDEX images_rated ON images (rated_at_ms DESC) WHERE rated_at_ms IS NOT NULL;

CREATE TABLE image_tags (
  image_id INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  PRIMARY KEY (image_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_tags_tag ON image_tags (tag, image_id);
`
