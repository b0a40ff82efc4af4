import type { Image } from '../../contract/image.ts'
import type { Database } from '../../store/database.ts'
import { everyWord, facetsOf, searchableText, type TermName, termLetters, termWord, wordsOf } from './image-terms.ts'

/** A moment is the millisecond in which an image was made, times this, and a little more where that is taken. */
export const momentsPerMs = 16

/** A row of image_terms. */
interface Indexed {
  readonly moment: number
  readonly terms: string
}

/** Keeps what the search knows of each image: its words, its terms, and how many images each term has. */
export class ImageIndex {
  readonly #database: Database
  readonly #statements
  #version = 0

  constructor(database: Database) {
    this.#database = database
    this.#statements = {
      value: database.prepare<[string, string], number>('SELECT id FROM facet_values WHERE facet = ? AND value = ?').pluck(),
      addValue: database.prepare<[string, string]>('INSERT INTO facet_values (facet, value, count) VALUES (?, ?, 0)'),
      count: database.prepare<[number, number]>('UPDATE facet_values SET count = count + ? WHERE id = ?'),
      addTerms: database.prepare('INSERT OR IGNORE INTO image_terms (moment, image_id, terms) VALUES (?, ?, ?)'),
      addWords: database.prepare('INSERT INTO image_words (rowid, prompt, negative, terms) VALUES (?, ?, ?, ?)'),
      find: database.prepare<[number], Indexed>('SELECT moment, terms FROM image_terms WHERE image_id = ?'),
      addWord: database.prepare('INSERT OR IGNORE INTO words (word) VALUES (?)'),
      removeTerms: database.prepare('DELETE FROM image_terms WHERE moment = ?'),
      removeWords: database.prepare('DELETE FROM image_words WHERE rowid = ?'),
      indexed: database.prepare('UPDATE images SET is_indexed = 1 WHERE id = ?'),
      next: database.prepare<[number], { id: number }>('SELECT id FROM images WHERE is_indexed = 0 ORDER BY id LIMIT ?'),
    }
  }

  /** Another one after each change. */
  get version(): number {
    return this.#version
  }

  /**
   * Puts an image in, or in again where it has changed. Within the transaction that writes its row. What a later stage went on with
   * is not searched.
   */
  put(image: Image): void {
    this.#version++
    const before = this.#statements.find.get(image.id)
    if (image.intermediate) {
      if (before !== undefined) this.#remove(before)
      return
    }
    // Each once: of a slot "a" with "b: c" and a slot "a: b" with "c" comes the same.
    const terms = [...new Set(facetsOf(image).map(([name, value]) => termLetters[name] + this.#idOf(name, value).toString(36)))]
    // A rating changes one or two of a dozen: the others are counted already.
    this.#recount(before?.terms.split(' ') ?? [], terms)
    if (before !== undefined) this.#removeRows(before)
    let moment = image.createdAtMs * momentsPerMs + (image.id % momentsPerMs)
    // Steps of its own, so that thousands of files with one time don't queue up behind each other.
    while (this.#statements.addTerms.run(moment, image.id, terms.join(' ')).changes === 0) moment += 1 + (image.id % 997)
    const words = [everyWord, ...terms.map((term) => termWord(idIn(term)))].join(' ')
    const { prompt, negativePrompt } = image.recipe
    for (const word of new Set([...wordsOf(prompt), ...wordsOf(negativePrompt)])) this.#statements.addWord.run(word)
    this.#statements.addWords.run(moment, searchableText(prompt), searchableText(negativePrompt), words)
  }

  remove(imageId: number): void {
    const found = this.#statements.find.get(imageId)
    if (found === undefined) return
    this.#version++
    this.#remove(found)
  }

  #remove(found: Indexed): void {
    this.#recount(found.terms.split(' '), [])
    this.#removeRows(found)
  }

  #removeRows({ moment }: Indexed): void {
    this.#statements.removeTerms.run(moment)
    this.#statements.removeWords.run(moment)
  }

  #recount(before: readonly string[], after: readonly string[]): void {
    const left = new Set(before)
    for (const term of after) if (!left.delete(term)) this.#statements.count.run(1, idIn(term))
    for (const term of left) this.#statements.count.run(-1, idIn(term))
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

  /** Of facet_values, where it is put if need be. */
  #idOf(name: TermName, value: string): number {
    const { value: find, addValue } = this.#statements
    return find.get(name, value) ?? Number(addValue.run(name, value).lastInsertRowid)
  }
}

/** Of the value in facet_values. */
const idIn = (term: string): number => Number.parseInt(term.slice(1), 36)
