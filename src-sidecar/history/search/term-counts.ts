import type { FacetName } from '../../contract/image-search.ts'
import { termLetters } from './image-terms.ts'

const [space, line, zero, nine] = [' ', '\n', '0', '9'].map((one) => one.charCodeAt(0)) as [number, number, number, number]
const tenth = 'a'.charCodeAt(0) - 10

/**
 * How many images have each value, counted from the terms of all: hundreds of thousands of them, so that no string is made of any.
 * A value that is chosen narrows every facet but its own: there an image counts as well that would be found without it.
 */
export class TermCounts {
  /** By id in facet_values. */
  readonly #counts: Uint32Array
  /** Ids that were seen, by their facet's letter. */
  readonly #seen = new Map<number, number[]>()
  /** The bit of the facet in which this value is chosen, by id. */
  readonly #bits: Uint32Array
  readonly #every: number
  readonly #letterOfBit: ReadonlyMap<number, number>

  /**
   * @param ids how many there can be
   * @param chosen ids of the values that an image must have, one of each facet; none where all images are matches
   */
  constructor(ids: number, chosen: ReadonlyMap<FacetName, readonly number[]> = new Map()) {
    this.#counts = new Uint32Array(ids)
    this.#bits = new Uint32Array(ids)
    const letters = new Map<number, number>()
    for (const [at, [name, values]] of [...chosen].entries()) {
      letters.set(2 ** at, letterOf(name))
      for (const id of values) this.#bits[id] = 2 ** at
    }
    this.#letterOfBit = letters
    this.#every = 2 ** chosen.size - 1
  }

  /** @param terms of images, a line each */
  add(terms: string): void {
    const letters: number[] = []
    const ids: number[] = []
    let has = 0
    let at = 0
    while (at < terms.length) {
      letters.push(terms.charCodeAt(at++))
      let id = 0
      let code = space
      for (; at < terms.length; at++) {
        code = terms.charCodeAt(at)
        if (code === space || code === line) break
        id = id * 36 + (code <= nine ? code - zero : code - tenth)
      }
      ids.push(id)
      has |= this.#bits[id]!
      if (code === line || at >= terms.length) {
        this.#addImage(letters, ids, this.#every & ~has)
        letters.length = ids.length = has = 0
      }
      at++
    }
  }

  /** @param lacks the bits of the facets in which it has nothing that is chosen */
  #addImage(letters: readonly number[], ids: readonly number[], lacks: number): void {
    const only = lacks === 0 ? undefined : this.#letterOfBit.get(lacks)
    if (lacks !== 0 && only === undefined) return
    for (let index = 0; index < ids.length; index++) {
      const letter = letters[index]!
      if (only !== undefined && only !== letter) continue
      const id = ids[index]!
      this.#counts[id]! += 1
      if (this.#counts[id]! > 1) continue
      const seen = this.#seen.get(letter)
      if (seen === undefined) this.#seen.set(letter, [id])
      else seen.push(id)
    }
  }

  /** Values of this facet that an image has, the most frequent first. */
  of(name: FacetName): { id: number; count: number }[] {
    const seen = this.#seen.get(letterOf(name)) ?? []
    return seen.map((id) => ({ id, count: this.#counts[id]! })).sort((a, b) => b.count - a.count)
  }
}

const letterOf = (name: FacetName): number => termLetters[name].charCodeAt(0)
