import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expand } from '../../../../src-sidecar/packs/expand/expansion.ts'
import { joinPack, parsePackJson } from '../../../../src-sidecar/packs/formats/parse-pack-json.ts'
import { savePack } from '../../../../src-sidecar/packs/formats/save-pack.ts'
import { parsePack } from '../../../../src-sidecar/packs/parse-pack.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const parse = (value: unknown) => parsePackJson(bytes(typeof value === 'string' ? value : JSON.stringify(value, null, 2)))

const pack = {
  pack_data: {
    name: 'owls',
    slots: [
      {
        index: 0,
        text: 'an owl,\n [[mood]] light',
        negative: 'blurry',
        positive_embeddings: ['fine', ['finer', 0.8]],
        negative_embeddings: [['bad-hands', 1]],
        loras: [
          ['feathers', 0.7],
          ['ink', 1],
        ],
        template_id: 'bird',
      },
      { index: 0, text: '', negative: '', positive_embeddings: [], negative_embeddings: [], loras: [] },
      { text: 'a fox' },
    ],
    matrix: { enabled: true, mode: 'fanout', limit: 8, slots: [{ name: 'mood', values: ['soft', 'harsh'] }] },
    show_preview: true,
  },
  preset_data: {
    txt2img: { steps: 34, cfg_scale: 6.1 },
    pipeline: { txt2img_enabled: true, images_per_prompt: 2 },
    randomization: {
      enabled: true,
      prompt_sr: { enabled: true, mode: 'round_robin', rules: [{ search: 'fox', replacements: ['fox', 'wolf'] }] },
      wildcards: {
        enabled: true,
        tokens: [
          { token: '__hat__', values: ['cap'] },
          { token: 'TREE', values: ['oak'] },
        ],
      },
    },
  },
}

describe('a .json pack', () => {
  test('of pack_data and preset_data gives prompts with embeddings and LoRAs in the text, matrix, rules and settings', () => {
    expect(parse(pack)).toEqual({
      problem: null,
      name: 'owls',
      prompts: [
        {
          index: 0,
          line: 5,
          prompt: '<embedding:fine> (<embedding:finer>:0.8) an owl, [[mood]] light <lora:feathers:0.7> <lora:ink:1>',
          negativePrompt: '<embedding:bad-hands> blurry',
        },
        { index: 1, line: 42, prompt: 'a fox', negativePrompt: '' },
      ],
      matrix: { mode: 'fanout', limit: 8, slots: [{ name: 'mood', values: ['soft', 'harsh'] }] },
      searchReplace: {
        mode: 'round_robin',
        rules: [
          { search: 'fox', replacements: ['fox', 'wolf'] },
          { search: 'TREE', replacements: ['oak'] },
        ],
      },
      wildcards: new Map([['hat', ['cap']]]),
      settings: pack.preset_data,
    })
  })

  test('is expanded as it stands', () => {
    const made = [...expand({ ...parse(pack), seed: 1 })]
    expect(made.map(({ prompt }) => prompt.replaceAll(/\(?<[^>]*>(:0.8\))? ?/g, '').trim())).toEqual(
      ['an owl, soft light', 'an owl, harsh light', 'wolf'].map((text) => (text === 'wolf' ? 'a wolf' : text)),
    )
  })

  test('of an older version has its slots at the root', () => {
    expect(parse({ name: 'old', slots: [{ text: 'a cat' }], matrix: { enabled: false, slots: [] } })).toMatchObject({
      problem: null,
      name: 'old',
      prompts: [{ index: 0, prompt: 'a cat' }],
      matrix: undefined,
    })
  })

  test('may hold settings only, also without preset_data, and then the .txt beside it has the prompts', () => {
    const text = parsePack(bytes('from the text'))
    for (const value of [{ txt2img: { steps: 20 } }, { preset_data: { txt2img: { steps: 20 } } }]) {
      const json = parse(value)
      expect(json).toMatchObject({ prompts: [], problem: null, settings: { txt2img: { steps: 20 } } })
      expect(joinPack(text, json)).toMatchObject({ prompts: [{ prompt: 'from the text' }], settings: { txt2img: { steps: 20 } } })
    }
    expect(joinPack(text, parse(pack)).prompts).toEqual(parse(pack).prompts)
  })

  test('knows the names of modes that older versions wrote', () => {
    const mode = (name: string) => parse({ matrix: { mode: name, slots: [{ name: 'a', values: [1] }] } }).matrix?.mode
    expect(['grid', 'Random', 'per_prompt', 'round_robin', 'rotate', 'sequential'].map(mode)).toEqual([
      'fanout',
      'random',
      'random',
      'sequential',
      'rotate',
      'sequential',
    ])
  })

  test('may bring a base prompt with the matrix of its settings, which replaces where no mode is given', () => {
    const base = (more: object) =>
      parse({ randomization: { matrix: { base_prompt: 'a hill', slots: [], ...more } } }).matrix?.basePrompt
    expect(base({})).toEqual({ mode: 'replace', text: 'a hill' })
    expect(base({ prompt_mode: 'prepend' })).toEqual({ mode: 'prepend', text: 'a hill' })
    expect(base({ base_prompt: ' ' })).toBeUndefined()
  })

  test('that is no JSON is told with its line', () => {
    expect(parse('{\n "slots": [,]\n}').problem).toMatchObject({
      line: 2,
      message: expect.stringContaining('This is not JSON: A value is expected here'),
    })
    expect(parse('[]').problem).toMatchObject({ line: 1 })
    expect(parse('['.repeat(100_000) + ']'.repeat(100_000)).problem?.message).toContain('nests deeper than 200')
  })
})

// What versions wrote, and what hands made of it: types that differ, keys that are missing, keys that nobody knows.
const odd = fc.oneof(fc.constant(null), fc.integer(), fc.string(), fc.boolean(), fc.constant([]), fc.constant({}))
const mostly = <T>(usual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 8, arbitrary: usual as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: odd })
const weighted = mostly(
  fc.array(fc.oneof(fc.string(), fc.tuple(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true })), odd)),
)
const matrix = fc.record(
  {
    enabled: mostly(fc.boolean()),
    mode: mostly(fc.constantFrom('fanout', 'sequential', 'rotate', 'random')),
    limit: mostly(fc.integer()),
    slots: mostly(fc.array(mostly(fc.record({ name: mostly(fc.string()), values: mostly(fc.array(fc.string())) })))),
  },
  { requiredKeys: [] },
)
const slot = fc.record(
  {
    index: mostly(fc.nat(3)),
    text: mostly(fc.string()),
    negative: mostly(fc.string()),
    positive_embeddings: weighted,
    negative_embeddings: weighted,
    loras: weighted,
    template_variables: fc.dictionary(fc.string(), fc.string()),
  },
  { requiredKeys: [] },
)
const unknownKeys = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 3 })
const packData = fc
  .tuple(
    unknownKeys,
    fc.record({ name: mostly(fc.string()), slots: mostly(fc.array(mostly(slot))), matrix: mostly(matrix) }, { requiredKeys: [] }),
  )
  .map(([unknown, known]) => ({ ...unknown, ...known }))
const randomization = fc.record(
  {
    enabled: mostly(fc.boolean()),
    matrix: mostly(matrix),
    prompt_sr: mostly(
      fc.record({
        mode: fc.string(),
        rules: mostly(fc.array(mostly(fc.record({ search: fc.string(), replacements: weighted })))),
      }),
    ),
    wildcards: mostly(fc.record({ tokens: mostly(fc.array(mostly(fc.record({ token: fc.string(), values: weighted })))) })),
  },
  { requiredKeys: [] },
)
const presetData = fc
  .tuple(
    unknownKeys,
    fc.record({ txt2img: unknownKeys, pipeline: unknownKeys, randomization: mostly(randomization) }, { requiredKeys: [] }),
  )
  .map(([unknown, known]) => ({ ...unknown, ...known }))
const legacyPack = fc.oneof(
  fc.record({ pack_data: packData, preset_data: presetData }),
  fc.record({ pack_data: packData }),
  packData,
  presetData,
)
const legacyText = fc
  .tuple(legacyPack, fc.constantFrom(undefined, 2, 4, '\t'), fc.constantFrom('', '\uFEFF'), fc.constantFrom('', '\n'))
  .map(([value, indent, mark, end]) => `${mark}${JSON.stringify(value, null, indent)}${end}`)

describe('any .json pack', () => {
  test('loads without a problem', () => {
    fc.assert(
      fc.property(legacyText, (text) => {
        const { problem, prompts } = parsePackJson(bytes(text))
        expect(problem).toBeNull()
        expect(prompts.map(({ index }) => index)).toEqual(prompts.map((_, at) => at))
      }),
      { numRuns: 500 },
    )
  })

  test('is byte for byte the same when nothing was changed', () => {
    fc.assert(
      fc.property(legacyText, (text) => {
        expect(savePack(text, {})).toBe(text)
      }),
    )
  })

  test('keeps every key that nobody knows when a prompt, its name and a setting were changed', () => {
    fc.assert(
      fc.property(packData, presetData, fc.string(), fc.constantFrom(undefined, 2, '\t'), (data, preset, words, indent) => {
        const original = {
          unknown: [1, { deep: null }],
          pack_data: { ...data, slots: [{ text: 'a', mine: 1 }] },
          preset_data: { ...preset, txt2img: { mine: 2 } },
        }
        const saved = savePack(JSON.stringify(original, null, indent), {
          name: words,
          slots: [{ place: 0, values: { text: words } }],
          settings: { txt2img: { steps: 20 } },
        })
        const expected = structuredClone(original) as unknown as Record<string, Record<string, unknown>>
        expected.pack_data!.name = words
        expected.pack_data!.slots = [{ text: words, mine: 1 }]
        expected.preset_data!.txt2img = { mine: 2, steps: 20 }
        expect(JSON.parse(saved)).toEqual(JSON.parse(JSON.stringify(expected)))
      }),
    )
  })
})

describe('saving a .json pack', () => {
  const text =
    '{\n  "pack_data": {\n    "slots": [\n      {"index": 0, "text": "a",  "weight": 7.0}\n    ]\n  },\n  "x": 1e2\n}\n'

  test('writes only what was changed, and adds what was missing at the end of its object', () => {
    expect(
      savePack(text, {
        slots: [{ place: 0, values: { text: 'b', negative: 'c' } }],
        matrix: { mode: 'random' },
        settings: { txt2img: { steps: 5 } },
      }),
    ).toBe(
      '{\n  "pack_data": {\n    "slots": [\n      {"index": 0, "text": "b",  "weight": 7.0, "negative": "c"}\n    ],\n    "matrix": {\n      "mode": "random"\n    }\n  },\n  "x": 1e2,\n  "preset_data": {\n    "txt2img": {\n      "steps": 5\n    }\n  }\n}\n',
    )
  })

  test('writes nothing where the value is the same already', () => {
    expect(savePack(text, { slots: [{ place: 0, values: { text: 'a', weight: 7 } }] })).toBe(text)
  })

  test('adds a prompt at the place after the last, and refuses one beyond it', () => {
    const saved = savePack(text, { slots: [{ place: 1, values: { text: 'new' } }] })
    expect(parse(saved).prompts.map(({ prompt }) => prompt)).toEqual(['a', 'new'])
    expect(() => savePack(text, { slots: [{ place: 5, values: { text: 'new' } }] })).toThrow(
      'There is no place for pack_data.slots.5.text',
    )
  })

  test('of an older version keeps its slots at the root', () => {
    expect(savePack('{"slots":[{"text":"a"}]}', { name: 'n', slots: [{ place: 0, values: { text: 'b' } }] })).toBe(
      '{"slots":[{"text":"b"}], "name": "n"}',
    )
  })

  test('of a file with preset_data and slots at the root changes both where they are', () => {
    const mixed = '{"preset_data":{"txt2img":{"steps":1}},"slots":[{"text":"a"}]}'
    const saved = savePack(mixed, { slots: [{ place: 0, values: { text: 'b' } }], settings: { txt2img: { steps: 2 } } })
    expect(saved).toBe('{"preset_data":{"txt2img":{"steps":2}},"slots":[{"text":"b"}]}')
  })

  test('keeps the line ends of Windows', () => {
    const saved = savePack('{\r\n  "slots": []\r\n}\r\n', { slots: [{ place: 0, values: { text: 'a' } }] })
    expect(saved).toBe('{\r\n  "slots": [\r\n    {\r\n      "text": "a"\r\n    }\r\n  ]\r\n}\r\n')
  })
})
