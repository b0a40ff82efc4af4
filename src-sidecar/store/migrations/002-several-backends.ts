export const severalBackends = `
-- The only backend that may do a job; NULL: any.
ALTER TABLE jobs ADD COLUMN pinned_to TEXT;
-- The checkpoint that its recipe names, as \`modelKey\` writes it; NULL: whatever is loaded.
ALTER TABLE jobs ADD COLUMN model_key TEXT;
`
