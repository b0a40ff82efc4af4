import type { SavedSearch } from '../../contract/image-search.ts'
import { AppError } from '../../errors/app-error.ts'
import type { Database } from '../../store/database.ts'

/** Searches that the user has given a name. */
export class SavedSearches {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** By name. */
  all(): SavedSearch[] {
    const rows = this.#database.prepare('SELECT id, name, search FROM saved_searches ORDER BY name COLLATE NOCASE, id').all() as {
      id: number
      name: string
      search: string
    }[]
    return rows.map(({ id, name, search }) => ({ id, name, ...JSON.parse(search) }))
  }

  /** In place of one of that name. */
  save({ name, search, sort }: Omit<SavedSearch, 'id'>, nowMs: number): SavedSearch {
    const { id } = this.#database
      .prepare(
        `INSERT INTO saved_searches (name, search, created_at_ms) VALUES (?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET search = excluded.search RETURNING id`,
      )
      .get(name, JSON.stringify({ search, sort }), nowMs) as { id: number }
    return { id, name, search, sort }
  }

  /** @throws AppError `not_found`. */
  remove(id: number): void {
    if (this.#database.prepare('DELETE FROM saved_searches WHERE id = ?').run(id).changes === 0)
      throw new AppError('not_found', `There is no saved search ${id}.`)
  }
}
