import { expect, test } from 'vitest'
import { closingText } from '../../src-ui/state/closing-text.ts'
import { documentTitle } from '../../src-ui/state/document-title.ts'
import { promptTokens } from '../../src-ui/state/prompt-tokens.ts'
import { emptyQueue } from '../../src-ui/state/queue-changes.ts'
import { hashOf, parseRoute, type Route } from '../../src-ui/state/route.ts'

test.each<[string, Route]>([
  ['', { page: 'packs' }],
  ['#/packs', { page: 'packs' }],
  ['#/packs/user%2Fa%20b.txt', { page: 'packs', packId: 'user/a b.txt' }],
  ['#/packs/%zz', { page: 'packs', packId: '%zz' }],
  ['#/queue', { page: 'queue' }],
  ['#/gallery/123', { page: 'gallery', imageId: 123 }],
  ['#/gallery/-1', { page: 'gallery' }],
  ['#/elsewhere', { page: 'packs' }],
])('the address %s leads to its page', (hash, route) => {
  expect(parseRoute(hash)).toEqual(route)
})

test('a route and its address are the same place', () => {
  const route: Route = { page: 'packs', packId: 'user/50% more #1.txt' }
  expect(parseRoute(hashOf(route))).toEqual(route)
})

test('weights, networks and choices stand out in a prompt, and no character is lost', () => {
  const prompt = 'a (red:1.2) fox <lora:film:0.7> in [snow|rain], (plain brackets)'
  const tokens = promptTokens(prompt)
  expect(tokens.filter((token) => token.kind !== 'text')).toEqual([
    { kind: 'weight', text: '(red:1.2)' },
    { kind: 'network', text: '<lora:film:0.7>' },
    { kind: 'choice', text: '[snow|rain]' },
  ])
  expect(tokens.map((token) => token.text).join('')).toBe(prompt)
})

test('slots and wildcards stand out, also within braces and weights, and a LoRA keeps its underscores', () => {
  const prompt = '[[mood]] __people/hair__ {a|b} {a|__x__} ([[mood]]:1.2) <lora:add__detail__xl:1>'
  const tokens = promptTokens(prompt)
  expect(tokens.filter(({ kind }) => kind !== 'text').map(({ kind, text }) => `${kind} ${text}`)).toEqual([
    'slot [[mood]]',
    'wildcard __people/hair__',
    'choice {a|b}',
    'wildcard __x__',
    'slot [[mood]]',
    'network <lora:add__detail__xl:1>',
  ])
  expect(tokens.map((token) => token.text).join('')).toBe(prompt)
})

test('the title tells what is left', () => {
  expect(documentTitle(emptyQueue)).toBe('StableNew')
  expect(documentTitle({ ...emptyQueue, pendingTotal: 12 })).toBe('12 left · StableNew')
})

test('a closing step has a sentence, an unknown one its own name', () => {
  expect(closingText('running image')).toBe('Finishing the running image')
  expect(closingText('flushing the history')).toBe('Flushing the history')
  expect(closingText(undefined)).toBe('Stopping')
})
