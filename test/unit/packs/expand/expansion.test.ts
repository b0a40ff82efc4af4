import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matrixModes } from '../../../../src-sidecar/contract/pack.ts'
import { type ExpandInput, expand } from '../../../../src-sidecar/packs/expand/expansion.ts'
import type { Matrix } from '../../../../src-sidecar/packs/expand/matrix.ts'

const prompts = (...texts: (string | [string, string])[]) =>
  texts.map((text) =>
    typeof text === 'string' ? { prompt: text, negativePrompt: '' } : { prompt: text[0], negativePrompt: text[1] },
  )

const matrix = (slots: Record<string, string[]>, rest: Partial<Matrix> = {}): Matrix => ({
  mode: 'fanout',
  limit: 0,
  slots: Object.entries(slots).map(([name, values]) => ({ name, values })),
  ...rest,
})

const wildcards = (lists: Record<string, string[]>) => new Map(Object.entries(lists))

const list = (input: Omit<ExpandInput, 'seed'> & { seed?: number }) =>
  [...expand({ seed: 1, ...input })].map(({ prompt, negativePrompt }) =>
    negativePrompt ? `${prompt} | ${negativePrompt}` : prompt,
  )

describe('a prompt without a matrix', () => {
  test.each([
    '(masterpiece:1.2), [blurry], ((best)), a \\(film\\), <lora:add__detail__xl:0.7> <embedding:easynegative>',
    'a cat AND a dog :0.8, 1girl BREAK night, [cat:dog:0.5], [[quiet]], snake_case__ __',
  ])('passes what A1111 reads itself through untouched: %s', (text) => {
    expect(list({ prompts: prompts(text) })).toEqual([text])
  })

  test('picks one of {a|b}, also nested, also an empty one', () => {
    const seen = new Set(Array.from({ length: 200 }, (_, seed) => list({ prompts: prompts('{a|{b|c}|}x'), seed })[0]))
    expect([...seen].sort()).toEqual(['ax', 'bx', 'cx', 'x'])
  })

  test('picks by weight: 3::b comes three times as often as a, 0::c never', () => {
    const many = Array.from({ length: 4000 }, (_, seed) => list({ prompts: prompts('{a|3::b|0::c}'), seed })[0])
    expect(many.filter((text) => text === 'b').length / 4000).toBeCloseTo(0.75, 1)
    expect(many).not.toContain('c')
  })

  test.each([
    ['{2$$a|b|c}', ['a, b', 'a, c', 'b, a', 'b, c', 'c, a', 'c, b']],
    ['{1-2$$ and $$a|b}', ['a', 'a and b', 'b', 'b and a']],
    ['{-1$$a|b}', ['a', 'b']],
    ['{2-$$a|0::b|c}', ['a, c', 'c, a']],
    ['{9$$ $${x|y}|b}', ['b x', 'b y', 'x b', 'y b']],
    ['{0-1$$a}', ['', 'a']],
  ])('picks several different ones with $$: %s', (text, all) => {
    const seen = new Set(Array.from({ length: 300 }, (_, seed) => list({ prompts: prompts(text), seed })[0]))
    expect([...seen].sort()).toEqual(all)
  })

  test('takes \\{, \\} and \\| as plain characters', () => {
    expect(list({ prompts: prompts('\\{a\\|b\\}') })).toEqual(['{a|b}'])
  })

  test.each([
    ['a {b|c', ['a {b|c']],
    ['a } b | {c', ['a } b | {c']],
    ['{{a|b}', ['{a', '{b']],
    ['{{a|{b}', ['{{a|b']],
    ['{[[x}]] a', ['{[[x}]] a']],
  ])('a pack with a brace that has no partner still works, and the brace stays: %s', (text, all) => {
    const seen = new Set(Array.from({ length: 50 }, (_, seed) => list({ prompts: prompts(text), seed })[0]))
    expect([...seen].sort()).toEqual(all)
  })

  test.each([
    ['{0::a|0::b}', 'Prompt 1: Every option here has the weight 0, so none can be chosen. Give one of them a weight above 0.', 0],
    ['{'.repeat(10_000) + '}'.repeat(10_000), 'Prompt 1: Braces nest deeper than 50. Put some of them into a wildcard list.', 50],
  ])('tells what is wrong with %.20s', (text, message, at) => {
    const error = (() => {
      try {
        list({ prompts: prompts(text) })
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toMatchObject({ code: 'pack_broken', message, data: { at, promptIndex: 0 } })
  })
})

describe('a wildcard', () => {
  test('is one of its list; names may have folders, spaces of one underscore, and other letters', () => {
    const lists = wildcards({ 'people/hair_colour': ['red'], größe: ['tall'] })
    expect(list({ prompts: prompts('__people/hair_colour__ hair, __größe__, __größe____größe__'), wildcards: lists })).toEqual([
      'red hair, tall, talltall',
    ])
  })

  test('has the same value in the positive and in the negative, and twice in one prompt', () => {
    const lists = wildcards({ animal: ['cat', 'dog', 'owl', 'fox'] })
    for (let seed = 0; seed < 50; seed++) {
      const [one] = expand({ prompts: prompts(['__animal__ and __animal__', 'no __animal__']), wildcards: lists, seed })
      const { animal } = one!.chosen.wildcards
      expect(one).toMatchObject({ prompt: `${animal} and ${animal}`, negativePrompt: `no ${animal}` })
    }
  })

  test('may stand in another list, in braces and in a LoRA tag', () => {
    const lists = wildcards({ coat: ['{dark} __shade__'], shade: ['blue'], style: ['ink'] })
    const [one] = expand({
      prompts: prompts('a __coat__ coat <lora:__style__:1> <lora:my__old__one:1>'),
      wildcards: lists,
      seed: 1,
    })
    expect(one).toMatchObject({
      prompt: 'a dark blue coat <lora:ink:1> <lora:my__old__one:1>',
      chosen: { slots: {}, wildcards: { coat: 'dark blue', shade: 'blue', style: 'ink' } },
    })
  })

  test('that contains itself is an error that shows the circle', () => {
    const lists = wildcards({ a: ['x __b__'], b: ['y __a__'] })
    expect(() => list({ prompts: prompts('__a__'), wildcards: lists })).toThrow(
      "Prompt 1: __a__ → __b__ → __a__ never ends. Take one of them out of the other's values.",
    )
  })

  test('that grows without end in the text is an error before the memory is full', () => {
    const lists = new Map(Array.from({ length: 60 }, (_, n) => [`w${n}`, [`__w${n + 1}__ __w${n + 1}__`]]))
    lists.set('w60', ['some words'])
    expect(() => list({ prompts: prompts('__w0__'), wildcards: lists })).toThrow('grows beyond 100000 characters')
  })

  test('that is missing or empty is an error, with the name that was probably meant', () => {
    const lists = wildcards({ colour: ['red'], none: [] })
    expect(() => list({ prompts: prompts('a', '__color__'), wildcards: lists })).toThrow(
      'Prompt 2: The wildcard list "color" is missing. Did you mean "colour"? Add the list, or correct the name.',
    )
    expect(() => list({ prompts: prompts('__none__'), wildcards: lists })).toThrow('Prompt 1: The wildcard list "none" is empty.')
  })
})

describe('a matrix', () => {
  const slots = { a: ['1', '2'], b: ['x', 'y', 'z'] }

  test('in fanout gives every prompt every combination of the slots that it uses, the last slot changing fastest', () => {
    expect(list({ prompts: prompts('[[a]][[b]]', ['[[b]]', 'no [[b]]'], 'plain'), matrix: matrix(slots) })).toEqual([
      '1x',
      '1y',
      '1z',
      '2x',
      '2y',
      '2z',
      'x | no x',
      'y | no y',
      'z | no z',
      'plain',
    ])
  })

  test('in fanout with a limit gives each prompt the first so many', () => {
    expect(list({ prompts: prompts('[[a]][[b]]', '[[a]]'), matrix: matrix(slots, { limit: 4 }) })).toEqual([
      '1x',
      '1y',
      '1z',
      '2x',
      '1',
      '2',
    ])
  })

  test('in sequential gives each prompt the next combination, and begins again after the last', () => {
    const texts = prompts(...Array<string>(8).fill('[[a]][[b]]'))
    expect(list({ prompts: texts, matrix: matrix(slots, { mode: 'sequential' }) }).join(' ')).toBe('1x 1y 1z 2x 2y 2z 1x 1y')
    expect(list({ prompts: texts, matrix: matrix(slots, { mode: 'sequential', limit: 3 }) }).join(' ')).toBe(
      '1x 1y 1z 1x 1y 1z 1x 1y',
    )
  })

  test('in rotate gives each job the next combination, where sequential gives all jobs of a prompt the same', () => {
    const input = {
      prompts: prompts('cat [[a]]', 'cat [[a]]'),
      searchReplace: { mode: 'fanout', rules: [{ search: 'cat', replacements: ['cat', 'dog', 'owl'] }] },
    } as const
    expect(list({ ...input, matrix: matrix(slots, { mode: 'rotate' }) })).toEqual([
      'cat 1',
      'dog 2',
      'owl 1',
      'cat 2',
      'dog 1',
      'owl 2',
    ])
    expect(list({ ...input, matrix: matrix(slots, { mode: 'sequential' }) })).toEqual([
      'cat 1',
      'dog 1',
      'owl 1',
      'cat 2',
      'dog 2',
      'owl 2',
    ])
  })

  test('in random gives each prompt so many different combinations as the limit says', () => {
    const big = matrix({ a: [...'abcdefghij'], b: [...'klmnopqrst'] }, { mode: 'random', limit: 30 })
    const made = list({ prompts: prompts('[[a]][[b]]'), matrix: big })
    expect(new Set(made).size).toBe(30)
    expect(made).not.toEqual(list({ prompts: prompts('[[a]][[b]]'), matrix: big, seed: 2 }))
    expect(new Set(list({ prompts: prompts('[[a]][[b]]'), matrix: { ...big, limit: 0 } })).size).toBe(100)
  })

  test('has values that may hold wildcards, braces and other slots; what was chosen is told', () => {
    const [one] = expand({
      prompts: prompts('[[who]]'),
      matrix: matrix({ who: ['{a} __pet__ of [[size]]'], size: ['3'] }),
      wildcards: wildcards({ pet: ['cat'] }),
      seed: 1,
    })
    expect(one).toMatchObject({
      prompt: 'a cat of 3',
      chosen: { slots: { who: 'a cat of 3', size: '3' }, wildcards: { pet: 'cat' } },
    })
  })

  test.each([
    ['replace', ['no cat 1', 'no cat 1']],
    ['prepend', ['no cat 1, a dog', 'No cat 1, b']],
    ['append', ['a dog, no cat 1', 'No cat 1, b, no cat 1']],
  ] as const)('with a base prompt puts it there in mode %s, once', (mode, made) => {
    const basePrompt = { mode, text: 'no cat [[a]]' }
    expect(list({ prompts: prompts('a dog', 'No cat [[a]], b'), matrix: matrix({ a: ['1'] }, { basePrompt }) })).toEqual(made)
  })

  test('works within a LoRA tag', () => {
    expect(list({ prompts: prompts('<lora:ink:[[weight]]>'), matrix: matrix({ weight: ['0.5', '0.8'] }) })).toEqual([
      '<lora:ink:0.5>',
      '<lora:ink:0.8>',
    ])
  })

  test('counts a value that stands twice once, and joins slots of one name', () => {
    const doubled: Matrix = {
      ...matrix({}),
      slots: [
        { name: 'a', values: ['1', '1'] },
        { name: 'a', values: ['2', '1'] },
      ],
    }
    expect(list({ prompts: prompts('[[a]]'), matrix: doubled })).toEqual(['1', '2'])
  })

  test('without a slot that a prompt names is an error, with the name that was probably meant', () => {
    expect(() => list({ prompts: prompts('[[colr]]'), matrix: matrix({ colour: ['red'] }) })).toThrow(
      'Prompt 1: The matrix has no slot "colr". Did you mean "colour"? Add it with its values, or correct the name.',
    )
  })

  test('of 100 million combinations is counted without being built, and the last one can be asked for', () => {
    const names = [...'abcdefgh']
    const huge = matrix(Object.fromEntries(names.map((name) => [name, [...'0123456789']])))
    const texts = prompts(names.map((name) => `[[${name}]]`).join(''))
    const expansion = expand({ prompts: texts, matrix: huge, seed: 1 })
    expect(expansion.count).toBe(100_000_000n)
    expect(expansion.at(99_999_999).prompt).toBe('99999999')
    expect(expansion.at(12_345_678).prompt).toBe('12345678')
    expect(expansion.preview(3).map(({ prompt }) => prompt)).toEqual(['00000000', '00000001', '00000002'])
    const shuffled = expand({ prompts: texts, matrix: { ...huge, mode: 'random' }, seed: 1 })
    expect(shuffled.count).toBe(100_000_000n)
    expect(shuffled.at(99_999_999).prompt).toMatch(/^\d{8}$/)
    expect(() => expansion.at(100_000_000)).toThrow('there is none at 100000000')
  })
})

describe('a large pack', () => {
  test('of 20,000 prompts with a list of 20,000 lines is counted, and its list is searched once', () => {
    const lines = Array.from({ length: 20_000 }, (_, n) => `line ${n}`)
    let reads = 0
    const counted = new Proxy(lines, {
      get(target, key, receiver) {
        if (key === 'filter') reads++
        return Reflect.get(target, key, receiver)
      },
    })
    const texts = prompts(...Array.from({ length: 20_000 }, (_, n) => `__w__ [[a]] ${n}`))
    const expansion = expand({ prompts: texts, matrix: matrix({ a: ['1', '2'] }), wildcards: new Map([['w', counted]]), seed: 1 })
    expect(expansion.count).toBe(40_000n)
    expect(reads).toBe(1)
    expect(expansion.at(39_999).prompt).toMatch(/^line \d+ 2 19999$/)
  })
})

describe('search and replace', () => {
  const rules = [
    { search: 'cat', replacements: ['dog', 'owl'] },
    { search: 'cathedral', replacements: ['tower'] },
  ]

  test('in fanout makes a prompt of every replacement, in positive and negative alike, the longer search first', () => {
    expect(list({ prompts: prompts(['cat, cathedral', 'two cats'], 'bird'), searchReplace: { mode: 'fanout', rules } })).toEqual([
      'dog, tower | two dogs',
      'owl, tower | two owls',
      'bird',
    ])
  })

  test('in round_robin gives each prompt the next replacement', () => {
    expect(list({ prompts: prompts('cat', 'cat', 'cat'), searchReplace: { mode: 'round_robin', rules } })).toEqual([
      'dog',
      'owl',
      'dog',
    ])
  })

  test('in random gives all jobs of one prompt the same replacement', () => {
    const made = list({
      prompts: prompts('cat [[a]]'),
      matrix: matrix({ a: ['1', '2', '3'] }),
      searchReplace: { mode: 'random', rules },
    })
    expect(new Set(made.map((text) => text.slice(0, 3))).size).toBe(1)
  })

  test('may put in slots and wildcards, and does not read its search text as a pattern', () => {
    const searchReplace = { mode: 'fanout', rules: [{ search: 'a.b (c)', replacements: ['[[x]] $& __w__'] }] } as const
    expect(
      list({
        prompts: prompts('a.b (c) aXb'),
        matrix: matrix({ x: ['1', '2'] }),
        wildcards: wildcards({ w: ['w'] }),
        searchReplace,
      }),
    ).toEqual(['1 $& w aXb', '2 $& w aXb'])
  })
})

describe('any small pack', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const piece = fc.oneof(
    name.map((slot) => `[[${slot}]]`),
    fc.constantFrom('__w__', '{x|2::y}', '(word:1.2)', ', ', 'cat'),
  )
  const text = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(';'))
  const values = fc.array(fc.constantFrom('1', '2', '3', '4'), { minLength: 1, maxLength: 4 })
  const input: fc.Arbitrary<ExpandInput> = fc.record({
    prompts: fc.array(fc.record({ prompt: text, negativePrompt: text }), { maxLength: 4 }),
    matrix: fc.record({
      mode: fc.constantFrom(...matrixModes),
      limit: fc.nat(5),
      slots: fc.tuple(values, values, values).map((lists) => lists.map((list, at) => ({ name: 'abc'[at]!, values: list }))),
    }),
    wildcards: fc.constant(wildcards({ w: ['red', 'green', '__v__'], v: ['blue'] })),
    searchReplace: fc.record({
      mode: fc.constantFrom('random', 'round_robin', 'fanout'),
      rules: fc.constantFrom([], [{ search: 'cat', replacements: ['dog', 'owl'] }]),
    }),
    seed: fc.nat(),
  })

  test('has as many prompts as its count says', () => {
    fc.assert(
      fc.property(input, (pack) => {
        expect([...expand(pack)].length).toBe(Number(expand(pack).count))
      }),
    )
  })

  test('counts the distinct prompts that it makes', () => {
    // Only what multiplies: wildcards and braces are drawn, and may come out alike.
    const multiplying = input.filter(({ matrix }) => matrix?.mode === 'fanout' || matrix?.mode === 'random')
    fc.assert(
      fc.property(multiplying, (pack) => {
        const plain = { ...pack, searchReplace: undefined, wildcards: wildcards({ w: ['w'] }) }
        const texts = plain.prompts.map((one) => ({
          prompt: one.prompt.replaceAll('{x|2::y}', ''),
          negativePrompt: one.negativePrompt.replaceAll('{x|2::y}', ''),
        }))
        const expansion = expand({ ...plain, prompts: texts })
        const distinct = new Set([...expansion].map((one) => JSON.stringify([one.promptIndex, one.prompt, one.negativePrompt])))
        expect(distinct.size).toBe(Number(expansion.count))
      }),
    )
  })

  test('makes the same list of the same seed, and index i alone is the i-th of the list', () => {
    fc.assert(
      fc.property(input, (pack) => {
        const all = [...expand(pack)]
        expect([...expand(pack)]).toEqual(all)
        for (let index = all.length - 1; index >= 0; index--) expect(expand(pack).at(index)).toEqual(all[index])
        expect(expand(pack).preview(3)).toEqual(all.slice(0, 3))
      }),
    )
  })

  test('leaves no syntax of ours in what it makes, and tells what it chose', () => {
    fc.assert(
      fc.property(input, (pack) => {
        for (const { prompt, negativePrompt, chosen } of expand(pack)) {
          expect(prompt + negativePrompt).not.toMatch(/[[\]{}|]|__/)
          for (const value of Object.values(chosen.slots)) expect(prompt + negativePrompt).toContain(value)
        }
      }),
    )
  })
})
