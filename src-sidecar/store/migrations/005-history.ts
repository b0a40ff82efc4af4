export const history = `
CREATE INDEX images_seed ON images (seed);

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

-- Its own recipe and pack where they are not those of its job: the images of an import share one job, which was never queued.
ALTER TABLE images ADD COLUMN recipe TEXT;
ALTER TABLE images ADD COLUMN pack_name TEXT;
-- When its file was found to be gone.
ALTER TABLE images ADD COLUMN missing_at_ms INTEGER;
-- 0: the search does not know it yet.
ALTER TABLE images ADD COLUMN is_indexed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX images_unindexed ON images (id) WHERE is_indexed = 0;

-- Every value that an image can be filtered by, and how many images have it.
CREATE TABLE facet_values (
  id INTEGER PRIMARY KEY,
  facet TEXT NOT NULL,
  value TEXT NOT NULL,
  count INTEGER NOT NULL DEFAULT 0,
  UNIQUE (facet, value)
) STRICT;

-- An image as the search has it. Its moment is when it was made (ms × 16, and a little more where that is taken): the order of
-- the grid, and the rowid of the text index, so that SQLite walks matches in that order without sorting.
CREATE TABLE image_terms (
  moment INTEGER PRIMARY KEY,
  image_id INTEGER NOT NULL UNIQUE REFERENCES images (id) ON DELETE CASCADE,
  -- Facet letter and id in facet_values, in base 36, parted by spaces.
  terms TEXT NOT NULL
) STRICT;

-- The words of both prompts, and each of the terms as a word: a search with its filters is one expression here.
CREATE VIRTUAL TABLE image_words USING fts5 (
  prompt, negative, terms, content = '', contentless_delete = 1, prefix = '2 3', tokenize = 'unicode61 remove_diacritics 2'
);

-- All words there are: the beginning of a long word is looked up here, which is quicker than to merge what begins so.
CREATE TABLE words (word TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

-- By what a file that was moved is known again.
CREATE INDEX images_size_bytes ON images (size_bytes);

-- Imports that are not finished: the next start goes on with them.
CREATE TABLE imports (
  folder TEXT PRIMARY KEY,
  started_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE saved_searches (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  search TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;
`
