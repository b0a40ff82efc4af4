import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PackEdit } from '../../../../src-sidecar/contract/pack-edit.ts'
import { editedFiles, openEdit } from '../../../../src-sidecar/packs/edit/edited-files.ts'
import { parseFiles } from '../../../../src-sidecar/packs/load-pack.ts'

const file = (name: string, text: string) => ({ name, bytes: new TextEncoder().encode(text) })
const textOf = ({ bytes }: { bytes: Uint8Array }) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)

/** The one file of a pack after its rows were changed. */
function edited(name: string, text: string, change: (edit: PackEdit) => PackEdit): string {
  const files = [file(name, text)]
  return textOf(editedFiles(files, change(openEdit(files).edit))[0]!)
}

const rows = (change: (rows: PackEdit['rows']) => PackEdit['rows']) => (edit: PackEdit) => ({ ...edit, rows: change(edit.rows) })

describe('a .txt pack', () => {
  const text =
    '# My owls\r\n\r\n# the first\r\nan owl,\r\n  soft light\r\nNEG:  text\r\n\r\n\r\n# standing alone\r\n\r\na fox\r\n'

  test('keeps comments, blanks and line ends where a row is edited', () => {
    expect(
      edited(
        'a.txt',
        text,
        rows(([owl, fox]) => [{ ...owl!, prompt: 'an eagle owl,\nsoft light' }, fox!]),
      ),
    ).toBe(text.replace('an owl', 'an eagle owl'))
    expect(
      edited(
        'a.txt',
        text,
        rows(([owl, fox]) => [owl!, { ...fox!, negativePrompt: 'dog' }]),
      ),
    ).toBe(text.replace('a fox', 'a fox\r\nneg: dog'))
  })

  test('keeps the comments of a row with it, and those that stand alone, where rows move, come and go', () => {
    expect(
      edited(
        'a.txt',
        text,
        rows(([owl, fox]) => [fox!, owl!]),
      ),
    ).toBe('# My owls\r\n\r\na fox\r\n\r\n\r\n# standing alone\r\n\r\n# the first\r\nan owl,\r\n  soft light\r\nNEG:  text\r\n')
    expect(
      edited(
        'a.txt',
        text,
        rows(([owl]) => [owl!]),
      ),
    ).toContain('# standing alone')
    expect(
      edited(
        'a.txt',
        text,
        rows(([owl, fox]) => [owl!, fox!, { from: null, prompt: 'a hen\nin hay', negativePrompt: 'egg' }]),
      ),
    ).toBe(text.replace('a fox', 'a fox\r\n\r\na hen\r\nin hay\r\nneg: egg'))
  })

  test.each([
    ['# not a comment', '', 'Row 1: The line "# not a comment" would be a comment'],
    ['neg: dog', '', 'Row 1: "neg: dog" belongs into the negative prompt'],
    [' \n ', 'dog', 'Row 1: There is no prompt'],
  ])('refuses a row that it can not hold: %j', (prompt, negativePrompt, message) => {
    expect(() =>
      edited(
        'a.txt',
        text,
        rows(([, fox]) => [{ from: 0, prompt, negativePrompt }, fox!]),
      ),
    ).toThrow(message)
  })

  test('gets a .json beside it for its matrix', () => {
    const files = [file('a.txt', 'a [[mood]] cat')]
    const matrix = { mode: 'fanout' as const, limit: 0, slots: [{ name: 'mood', values: ['sad'] }] }
    const made = editedFiles(files, { ...openEdit(files).edit, matrix })
    expect(made.map(({ name }) => name)).toEqual(['a.txt', 'a.json'])
    expect(parseFiles(made)).toMatchObject({ matrix, prompts: [{ prompt: 'a [[mood]] cat' }] })
  })
})

test('a .tsv pack keeps its comments, and the rows that were not edited as they were written', () => {
  const text = '# owls\n an owl \t text\n\na fox\n'
  expect(
    edited(
      'a.tsv',
      text,
      rows(([owl, fox]) => [owl!, { ...fox!, prompt: 'a\tred\nfox', negativePrompt: 'dog' }]),
    ),
  ).toBe('# owls\n an owl \t text\n\na red fox\tdog\n')
})

describe('a .json pack', () => {
  const pack = {
    pack_data: {
      slots: [
        { index: 0, text: 'an owl', negative: '', loras: [['ink', 0.7]], template_id: 'bird' },
        { index: 1, text: '', note: 'empty' },
        { index: 2, text: 'a fox', weight: 7.0 },
      ],
      matrix: { enabled: true, mode: 'fanout', limit: 8, slots: [{ name: 'mood', values: ['sad'], colour: 'red' }], seen: true },
    },
    preset_data: { txt2img: { steps: 30 } },
  }
  const text = JSON.stringify(pack, null, 4).replace('"weight": 7', '"weight": 7.0')

  test('shows the tags beside its texts, and changes nothing but what was edited', () => {
    const files = [file('a.json', text)]
    expect(openEdit(files)).toMatchObject({
      edit: {
        rows: [
          { from: 0, prompt: 'an owl' },
          { from: 1, prompt: 'a fox' },
        ],
      },
      tags: [{ after: '<lora:ink:0.7>' }, { after: '' }],
    })
    expect(
      edited(
        'a.json',
        text,
        rows(([owl, fox]) => [owl!, { ...fox!, prompt: 'a "red" fox' }]),
      ),
    ).toBe(text.replace('a fox', 'a \\"red\\" fox'))
  })

  test('keeps what nobody knows where rows move, come and go', () => {
    const moved = edited(
      'a.json',
      text,
      rows(([owl, fox]) => [fox!, { from: null, prompt: 'a hen', negativePrompt: '' }, owl!, owl!]),
    )
    expect(moved).toContain('"weight": 7.0')
    const { slots } = JSON.parse(moved).pack_data
    expect(slots).toEqual([
      pack.pack_data.slots[2],
      { index: 4, text: 'a hen', negative: '' },
      pack.pack_data.slots[0],
      pack.pack_data.slots[0],
      pack.pack_data.slots[1],
    ])
    expect(
      moved
        .split('\n')
        .every(
          (line) => line.length < 60 && (line === '' || /^( {4})*\S/.test(line) || line.includes('hen') || /^ +["}]/.test(line)),
        ),
    ).toBe(true)
  })

  test('keeps what nobody knows of its matrix, and one that is taken away is switched off', () => {
    const matrix = {
      mode: 'random' as const,
      limit: 3,
      slots: [
        { name: 'mood', values: ['sad', 'gay'] },
        { name: 'hat', values: ['cap'] },
      ],
    }
    expect(JSON.parse(edited('a.json', text, (edit) => ({ ...edit, matrix }))).pack_data.matrix).toEqual({
      enabled: true,
      mode: 'random',
      limit: 3,
      slots: [
        { name: 'mood', values: ['sad', 'gay'], colour: 'red' },
        { name: 'hat', values: ['cap'] },
      ],
      seen: true,
    })
    const without = edited('a.json', text, (edit) => ({ ...edit, matrix: null }))
    expect(without).toBe(text.replace('"enabled": true', '"enabled": false'))
    expect(parseFiles([file('a.json', without)]).matrix).toBeUndefined()
  })
})

const word = fc.stringMatching(/^[a-z(){}[\]|:,.é"\\]{1,8}$/)
const line = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '))
const prompt = fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n'))
const negative = fc.oneof(fc.constant(''), prompt)

describe.each(['.txt', '.tsv', '.json'])('any %s pack', (ending) => {
  const source = fc
    .array(
      fc.oneof(
        line,
        line.map((text) => `# ${text}`),
        line.map((text) => `neg: ${text}`),
        fc.constant(''),
      ),
      { maxLength: 12 },
    )
    .map((lines) => lines.join('\n'))
    .map((text) =>
      ending === '.json'
        ? JSON.stringify({ slots: text.split('\n').map((one) => ({ text: one, more: 1 })) }, null, 2)
        : `${text}\nlast`,
    )
  const seeded = fc.array(fc.record({ at: fc.nat(), prompt: fc.option(prompt), negative }), { minLength: 1, maxLength: 6 })

  test('without an edit is the same to the byte; with one it has the rows that were asked for, and every comment', () => {
    fc.assert(
      fc.property(source, seeded, (text, wanted) => {
        const files = [file(`a${ending}`, text)]
        if (parseFiles(files).problem !== null || parseFiles(files).prompts.length === 0) return
        const { edit } = openEdit(files)
        expect(textOf(editedFiles(files, edit)[0]!)).toBe(text)
        const asked = wanted.map(({ at, prompt: text, negative: other }) => {
          const old = edit.rows[at % (edit.rows.length + 1)]
          return old && text === null ? old : { from: old?.from ?? null, prompt: text ?? 'new', negativePrompt: other }
        })
        const made = editedFiles(files, { ...edit, rows: asked })
        const flat = (one: string) => one.replace(/\s+/g, ' ').trim()
        expect(parseFiles(made).prompts.map((one) => [flat(one.prompt), flat(one.negativePrompt)])).toEqual(
          asked.map((one) => [flat(one.prompt), flat(one.negativePrompt)]),
        )
      }),
      { numRuns: 300 },
    )
  })
})
