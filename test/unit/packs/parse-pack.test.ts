import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePack } from '../../../src-sidecar/packs/parse-pack.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const parse = (text: string) => parsePack(bytes(text))
const prompts = (text: string) => parse(text).prompts.map(({ prompt, negativePrompt }) => [prompt, negativePrompt])

describe('a pack', () => {
  test('is blocks separated by blank lines, each with the line it starts at', () => {
    expect(parse('a cat\n\n\na dog\n')).toEqual({
      problem: null,
      prompts: [
        { index: 0, line: 1, prompt: 'a cat', negativePrompt: '' },
        { index: 1, line: 4, prompt: 'a dog', negativePrompt: '' },
      ],
    })
  })

  test('joins the lines of a block with a space', () => {
    expect(prompts('a cat,\n  on a mat  \nat night')).toEqual([['a cat, on a mat at night', '']])
  })

  test('takes lines that start with neg: into the negative prompt, wherever they stand and however they are written', () => {
    expect(prompts('neg: blurry\na cat\nNEG:ugly\n  Neg:  text  ')).toEqual([['a cat', 'blurry ugly text']])
  })

  test('keeps neg: that is not at the start of a line', () => {
    expect(prompts('a film neg: scanned')).toEqual([['a film neg: scanned', '']])
  })

  test('leaves out comments, and a comment does not end a block', () => {
    expect(prompts('# my pack\n\na cat\n  # inside\non a mat\n\n# end\n')).toEqual([['a cat on a mat', '']])
  })

  test('keeps a # that is not at the start of a line', () => {
    expect(prompts('colour #ff0000')).toEqual([['colour #ff0000', '']])
  })

  test('counts a line of blanks as a blank line', () => {
    expect(prompts('a cat\n \t \na dog')).toEqual([
      ['a cat', ''],
      ['a dog', ''],
    ])
  })

  test.each([
    ['Windows', '\r\n'],
    ['old Mac', '\r'],
  ])('may have the line ends of %s', (_, end) => {
    expect(parse(['a cat', 'neg: dog', '', 'a bird'].join(end)).prompts).toEqual([
      { index: 0, line: 1, prompt: 'a cat', negativePrompt: 'dog' },
      { index: 1, line: 4, prompt: 'a bird', negativePrompt: '' },
    ])
  })

  test('may begin with a byte order mark', () => {
    expect(prompts('\uFEFFa cat')).toEqual([['a cat', '']])
    expect(prompts('\uFEFF# comment\na cat')).toEqual([['a cat', '']])
    expect(prompts('\uFEFFneg: dog\na cat')).toEqual([['a cat', 'dog']])
  })

  test('keeps every script', () => {
    expect(prompts('猫, ネコ\n고양이 🐈‍⬛')).toEqual([['猫, ネコ 고양이 🐈‍⬛', '']])
  })
})

describe('a broken pack has no prompts but a problem', () => {
  test.each([
    ['empty', ''],
    ['only blanks', ' \n\t\n'],
    ['only comments', '# one\n\n# two'],
    ['only a byte order mark', '\uFEFF'],
  ])('of the whole file where it is %s', (_, text) => {
    expect(parse(text)).toEqual({ prompts: [], problem: { line: null, message: expect.stringContaining('no prompt') } })
  })

  test('at the line where a block has a negative prompt only', () => {
    expect(parse('a cat\n\n# here\nneg: dog\nneg: bird\n\na fish')).toEqual({
      prompts: [],
      problem: { line: 4, message: expect.stringContaining('neg:') },
    })
  })

  test('at the first of several', () => {
    expect(parse('neg: one\n\nneg: two').problem?.line).toBe(1)
  })

  test.each([
    ['Unix', '\n'],
    ['Windows', '\r\n'],
    ['old Mac', '\r'],
  ])('at the line that is not UTF-8, with the line ends of %s', (_, end) => {
    const latin1 = Buffer.concat([bytes(`ein Löwe${end}${end}`), Buffer.from('ein Bär', 'latin1'), bytes(`${end}ein Käfer`)])
    expect(parsePack(latin1).problem).toEqual({ line: 3, message: expect.stringContaining('not UTF-8') })
  })

  test('at a character that is cut off at the end of the file', () => {
    expect(parsePack(Buffer.concat([bytes('a\nb\n'), bytes('é').subarray(0, 1)])).problem?.line).toBe(3)
  })

  test.each([
    ['Unix', '\n'],
    ['old Mac', '\r'],
  ])('at the line with a zero byte, with the line ends of %s', (_, end) => {
    expect(parse(`a cat${end}a d\0g`).problem).toEqual({ line: 2, message: expect.stringContaining('zero byte') })
  })

  test('and says so of UTF-16', () => {
    expect(parsePack(Buffer.from('\uFEFFa cat', 'utf16le')).problem?.message).toMatch(/UTF-16/)
  })
})

describe('whatever the bytes', () => {
  test('the parser never throws, and gives either prompts or a problem', () => {
    const arbitrary = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'binary' }).map(bytes))
    fc.assert(
      fc.property(arbitrary, (input) => {
        const { prompts, problem } = parsePack(input)
        expect(prompts.length > 0).toBe(problem === null)
        const lines = new TextDecoder('latin1').decode(input).split(/\r\n|\n|\r/).length
        for (const { line } of [...prompts, ...(problem ? [problem] : [])]) {
          if (line !== null) expect(line).toBeLessThanOrEqual(lines)
        }
        for (const [at, one] of prompts.entries()) {
          expect(one.index).toBe(at)
          expect(one.prompt).not.toBe('')
        }
      }),
      { numRuns: 500 },
    )
  })

  test('a written pack reads back as it was', () => {
    const words = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
      .map((text) => text.replace(/[\r\n\0]/g, '').trim())
      .filter((text) => text !== '' && !/^(#|neg:)/i.test(text))
    const block = fc.record({
      positive: fc.array(words, { minLength: 1, maxLength: 3 }),
      negative: fc.array(words, { maxLength: 2 }),
    })
    const end = fc.constantFrom('\n', '\r\n', '\r')
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 5 }), end, fc.boolean(), (blocks, end, mark) => {
        const lines = blocks.flatMap(({ positive, negative }) => [
          ...positive,
          '# note',
          ...negative.map((text) => `neg: ${text}`),
          '',
        ])
        const { prompts, problem } = parse((mark ? '\uFEFF' : '') + lines.join(end))
        expect(problem).toBeNull()
        expect(prompts.map(({ prompt, negativePrompt }) => ({ prompt, negativePrompt }))).toEqual(
          blocks.map(({ positive, negative }) => ({ prompt: positive.join(' '), negativePrompt: negative.join(' ') })),
        )
      }),
      { numRuns: 300 },
    )
  })
})
