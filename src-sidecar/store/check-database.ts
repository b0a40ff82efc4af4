import Database from 'better-sqlite3'

export interface DatabaseFacts {
  /** `ok`, or what `PRAGMA integrity_check` found. */
  readonly integrity: string
  /** Files that image rows name. */
  readonly images: readonly string[]
}

/** Reads a database that nobody has open. @throws where it can't be opened at all */
export function checkDatabase(file: string): DatabaseFacts {
  const database = new Database(file, { fileMustExist: true })
  try {
    return {
      integrity: String(database.pragma('integrity_check', { simple: true })),
      images: (database.prepare('SELECT path FROM images ORDER BY id').all() as { path: string }[]).map(({ path }) => path),
    }
  } finally {
    database.close()
  }
}
