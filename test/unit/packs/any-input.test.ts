import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePackJson } from '../../../src-sidecar/packs/formats/parse-pack-json.ts'
import { parseTsv } from '../../../src-sidecar/packs/formats/parse-tsv.ts'
import { parsePack } from '../../../src-sidecar/packs/parse-pack.ts'

const parsers = { '.txt': parsePack, '.tsv': parseTsv, '.json': parsePackJson }
/** For one short input: what takes longer goes round in circles. */
const longestMs = 5000

const slot = { index: 0, text: 'a [[mood]] {cat|2::dog} __weather__ <lora:ink:0.8>', negative: 'people' }
const pack = JSON.stringify({
  pack_data: {
    name: 'cats',
    slots: [slot, slot],
    matrix: { enabled: true, mode: 'fanout', limit: 8, slots: [{ name: 'mood', values: ['calm'] }] },
  },
  preset_data: { txt2img: { steps: 20 }, pipeline: { seed_mode: 'random' }, randomization: { wildcards: { tokens: [] } } },
})
const marks = ['{', '}', '[', ']', '"', ':', ',', '\\u', '\n', '\r', '\t', '#', 'neg:', '\0', '\uFEFF', '\ud800', '1e999', 'null']

const random = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.string({ unit: 'binary', maxLength: 200 }).map((text) => Buffer.from(text)),
  fc
    .array(fc.oneof(fc.constantFrom(...marks), fc.string({ maxLength: 8 })), { maxLength: 60 })
    .map((parts) => Buffer.from(parts.join(''))),
  // A real pack with a piece cut out and another put in.
  fc
    .tuple(fc.nat(pack.length), fc.nat(80), fc.constantFrom(...marks))
    .map(([at, cut, mark]) => Buffer.from(pack.slice(0, at) + mark + pack.slice(at + cut))),
)

test('none of 10,000 random inputs crashes or hangs a parser: each has prompts, or a problem with its line', () => {
  let seen = 0
  fc.assert(
    fc.property(random, fc.constantFrom(...(Object.keys(parsers) as (keyof typeof parsers)[])), (bytes, format) => {
      const began = performance.now()
      const { prompts, problem } = parsers[format](bytes)
      expect(performance.now() - began).toBeLessThan(longestMs)
      seen++
      if (problem !== null) {
        expect(problem.message).not.toBe('')
        if (problem.line !== null) expect(problem.line).toBeGreaterThan(0)
      }
      for (const [place, { index, prompt, negativePrompt }] of prompts.entries()) {
        expect(index).toBe(place)
        expect([typeof prompt, typeof negativePrompt]).toEqual(['string', 'string'])
      }
    }),
    { numRuns: 10_000 },
  )
  expect(seen).toBeGreaterThanOrEqual(10_000)
})
