import type { Image } from '../../contract/image.ts'
import type { Database } from '../../store/database.ts'
import { everyWord, facetsOf, searchableText, seedWord, type TermName, termWord } from './image-terms.ts'
import { term } from './match-expression.ts'

/** A moment is the millisecond an image was made, times this, and a number that makes it unique. */
export const momentsPerMs = 1000

/** Keeps what the search knows of each image: its words, its terms, and how many images each term has. */
export class ImageIndex {
  readonly #database: Database
  readonly #statements

  constructor(database: Database) {
    this.#database = database
    this.#statements = {
      count: database.prepare<[string, string], { id: number }>(
        `INSERT INTO facet_values (facet, value, count) VALUES (?, ?, 1)
         ON CONFLICT DO UPDATE SET count = count + 1 RETURNING id`,
      ),
      uncount: database.prepare('UPDATE facet_values SET count = count - 1 WHERE id = ?'),
      addTerms: database.prepare('INSERT OR IGNORE INTO image_terms (moment, image_id, terms) VALUES (?, ?, ?)'),
      addWords: database.prepare('INSERT INTO image_words (rowid, prompt, negative, terms) VALUES (?, ?, ?, ?)'),
      find: database.prepare<[number], { moment: number; terms: string }>(
        'SELECT moment, terms FROM image_terms WHERE image_id = ?',
      ),
      removeTerms: database.prepare('DELETE FROM image_terms WHERE moment = ?'),
      removeWords: database.prepare('DELETE FROM image_words WHERE rowid = ?'),
      indexed: database.prepare('UPDATE images SET is_indexed = 1 WHERE id = ?'),
      next: database.prepare<[number], { id: number }>('SELECT id FROM images WHERE is_indexed = 0 ORDER BY id LIMIT ?'),
    }
  }

  /**
   * Puts an image in, or in again where it has changed. Within the transaction that writes its row. What a later stage went on with
   * is not searched.
   */
  put(image: Image): void {
    this.remove(image.id)
    if (image.intermediate) return
    const terms = facetsOf(image).map(([name, value]) => term(name, this.#count(name, value)))
    let moment = image.createdAtMs * momentsPerMs
    while (this.#statements.addTerms.run(moment, image.id, terms.join(' ')).changes === 0) moment++
    const words = [everyWord, seedWord(image.seed), ...terms.map(termWord)].join(' ')
    const { prompt, negativePrompt } = image.recipe
    this.#statements.addWords.run(moment, searchableText(prompt), searchableText(negativePrompt), words)
  }

  remove(imageId: number): void {
    const found = this.#statements.find.get(imageId)
    if (found === undefined) return
    for (const one of found.terms.split(' ')) this.#statements.uncount.run(Number.parseInt(one.slice(1), 36))
    this.#statements.removeTerms.run(found.moment)
    this.#statements.removeWords.run(found.moment)
  }

  /**
   * Puts in images that came without: of an older version, or of a restored database.
   * @returns how many; fewer than `limit` when all are in
   */
  putMissing(limit: number, imageOf: (id: number) => Image): number {
    return this.#database.transaction(() => {
      const rows = this.#statements.next.all(limit)
      for (const { id } of rows) {
        this.put(imageOf(id))
        this.#statements.indexed.run(id)
      }
      return rows.length
    })()
  }

  #count(name: TermName, value: string): number {
    return this.#statements.count.get(name, value)!.id
  }
}
