import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkLoras } from '../../../../src-sidecar/packs/validate/check-loras.ts'
import { type PackFile, validatePack } from '../../../../src-sidecar/packs/validate/validate-pack.ts'

const file = (name: string, text: string): PackFile => ({ name, bytes: new TextEncoder().encode(text) })
const wildcards = new Map([
  ['colour', ['red']],
  ['none', []],
])
const found = (...files: PackFile[]) =>
  validatePack(files, wildcards).map(
    ({ severity, file, line, column, message, suggestion }) => `${severity} ${file}:${line}:${column} ${message} ${suggestion}`,
  )
const matrix = { enabled: true, mode: 'fanout', limit: 0, slots: [{ name: 'mood', values: ['soft'] }] }

describe('a pack is checked', () => {
  test('and nothing is said where all is well', () => {
    const text = '# (comment\n(a:1.2) [b] \\( :\\) <lora:x__y__z:0.8>\n__colour__ {a|2::b}\nneg: [[quiet]]\n'
    expect(found(file('a.txt', text))).toEqual([])
  })

  test('for parentheses without a partner, at the place in the line of the file', () => {
    expect(found(file('a.txt', 'fine\n\n  a cat,\n  (on a [mat\nneg: ugly)'))).toEqual([
      'warning a.txt:4:3 This ( has no ). Add it, or write \\( for a plain one.',
      'warning a.txt:4:9 This [ has no ]. Add it, or write \\[ for a plain one.',
      'warning a.txt:5:10 This ) has no (. Remove it, or write \\) for a plain one.',
    ])
  })

  test('for weights that are out of range', () => {
    expect(found(file('a.txt', '(a:12), (b:1.2), (c:-1), <lora:ink:70>, <lora:ink:-1>'))).toEqual([
      'warning a.txt:1:4 The weight 12 is out of range. Give one from 0 to 3.',
      'warning a.txt:1:21 The weight -1 is out of range. Give one from 0 to 3.',
      'warning a.txt:1:36 The weight 70 is out of range. Give one from -5 to 5.',
    ])
  })

  test('for wildcards that are missing or empty', () => {
    expect(found(file('a.txt', 'a __color__ cat\n{b|__none__}'))).toEqual([
      'error a.txt:1:3 The wildcard list "color" is missing. Did you mean "colour"? Add the list, or correct the name.',
      'error a.txt:2:4 The wildcard list "none" is empty. Add the list, or correct the name.',
    ])
  })

  test('for braces', () => {
    expect(found(file('a.txt', 'a\nb {c|d'))).toEqual([
      'warning a.txt:2:3 This { has no } and stays as it is. Add it, or write \\{ for a plain one.',
    ])
  })

  test('for slots that the matrix has not, in the text and in the .json beside it', () => {
    const json = file('a.json', JSON.stringify({ pack_data: { matrix } }))
    expect(found(file('a.txt', 'a [[mod]] cat'), json)).toEqual([
      'error a.txt:1:3 The matrix has no slot "mod". Did you mean "mood"? Add it with its values, or correct the name.',
    ])
    expect(found(file('a.txt', 'a [[mod]] cat'))).toEqual([])
  })

  test('in a .json file, where escapes take more than one character', () => {
    const text = JSON.stringify({ slots: [{ text: 'a "cat"\n[[mod]]', negative: '\u0001(' }], matrix }, null, 2)
    const lines = text.split('\n')
    expect(found(file('a.json', text), file('a.txt', 'not used ('))).toEqual([
      `error a.json:4:${lines[3]!.indexOf('[[') + 1} The matrix has no slot "mod". Did you mean "mood"? Add it with its values, or correct the name.`,
      `warning a.json:5:${lines[4]!.indexOf('(') + 1} This ( has no ). Add it, or write \\( for a plain one.`,
    ])
  })

  test('for rows of a .tsv file that are empty, and on both sides of the tab', () => {
    expect(found(file('a.tsv', '# c (\na\tb\n\t\n\nx (y\t z)\n'))).toEqual([
      'warning a.tsv:3:1 This row is empty. Write a prompt before the tab, or remove the row.',
      'warning a.tsv:5:3 This ( has no ). Add it, or write \\( for a plain one.',
      'warning a.tsv:5:8 This ) has no (. Remove it, or write \\) for a plain one.',
    ])
  })

  test('and a file that can not be read says so as an error', () => {
    expect(found(file('a.json', '{\n"slots": oops}'))).toEqual([
      'error a.json:2:10 This is not JSON: A value is expected here: a text in "…", a number, true, false, null, […] or {…}. ',
    ])
    expect(found(file('a.tsv', '\tb'))).toEqual([
      'error a.tsv:1:1 This row has a negative prompt but no prompt. Write the prompt before the tab, or remove the row.',
    ])
  })
})

test('whatever a file holds, checking never throws and each finding lies within the file', () => {
  const characters = fc.string({
    unit: fc.constantFrom(...'ab ([{|}])\\_<:1.\t\n\r#"'.split(''), 'neg:', '__', '[[', ']]', '<lora:'),
  })
  const text = fc.oneof(
    characters,
    characters.map((one) => JSON.stringify({ slots: [{ text: one }], matrix })),
  )
  fc.assert(
    fc.property(text, fc.constantFrom('a.txt', 'a.tsv', 'a.json'), (content, name) => {
      const lines = content.split(/\r\n|\n|\r/)
      for (const { line, column } of validatePack([file(name, content)], wildcards)) {
        if (line === null) continue
        expect(line).toBeLessThanOrEqual(lines.length)
        expect(column).toBeLessThanOrEqual(lines[line - 1]!.length + 1)
      }
    }),
    { numRuns: 500 },
  )
})

test('a LoRA that no backend lists is told once, with the one that was probably meant; nothing where none is listed', () => {
  const prompts = ['<lora:styles/Ink_v1:0.7> a cat', '<lora:ikn_v1:1> <lora:[[x]]:1>', '<lora:ikn_v1:1>'].map(
    (prompt, index) => ({
      index,
      line: index + 1,
      prompt,
      negativePrompt: '',
    }),
  )
  expect(checkLoras(prompts, 'a.txt', ['ink_v1', 'film'])).toEqual([
    {
      severity: 'warning',
      file: 'a.txt',
      line: 2,
      column: null,
      message: 'No backend lists the LoRA "ikn_v1".',
      suggestion: 'Did you mean "ink_v1"? Put it into the folder of the backend, or correct the name.',
    },
  ])
  expect(checkLoras(prompts, 'a.txt', [])).toEqual([])
})
