import { expect, test } from 'vitest'
import { parseTsv } from '../../../../src-sidecar/packs/formats/parse-tsv.ts'

const parse = (text: string) => parseTsv(new TextEncoder().encode(text))

test('a row is a prompt, a tab and its negative prompt; rows of blanks and comments are left out', () => {
  expect(parse('# my rows\na cat\tblurry, text\r\n\n \t \n  a dog  \n')).toEqual({
    problem: null,
    prompts: [
      { index: 0, line: 2, prompt: 'a cat', negativePrompt: 'blurry, text' },
      { index: 1, line: 5, prompt: 'a dog', negativePrompt: '' },
    ],
  })
})

test.each([
  ['a cat\n\tblurry', 2, 'This row has a negative prompt but no prompt. Write the prompt before the tab, or remove the row.'],
  ['a\tb\tc', 1, 'This row has more than one tab. A row is the prompt, one tab and the negative prompt; remove the others.'],
  ['\n# nothing\n', null, 'There is no prompt in this file. Write one a row.'],
  ['a\n\0', 2, 'This is not a text file (it holds a zero byte; UTF-16 is not read). Save it as UTF-8.'],
])('tells what is wrong with %j', (text, line, message) => {
  expect(parse(text)).toEqual({ prompts: [], problem: { line, message } })
})
