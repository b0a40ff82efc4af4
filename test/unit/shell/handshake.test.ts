import { expect, test } from 'vitest'
import { parseHandshake } from '../../../src-sidecar/shell/handshake.ts'

const good = {
  nlPort: '4711',
  nlToken: 'secret.part',
  nlConnectToken: 'part',
  nlExtensionId: 'app.x',
  origin: 'http://127.0.0.1:4711',
}

test('the handshake is read, its port as a number', () => {
  expect(parseHandshake(JSON.stringify(good))).toEqual({ ...good, nlPort: 4711 })
  expect(parseHandshake(JSON.stringify({ ...good, nlPort: 4711 })).nlPort).toBe(4711)
})

test.for([
  ['no JSON', 'hello secret.part'],
  ['a missing token', JSON.stringify({ ...good, nlToken: undefined })],
  ['a port out of range', JSON.stringify({ ...good, nlPort: 70_000 })],
  ['an origin elsewhere', JSON.stringify({ ...good, origin: 'https://example.org' })],
  ['an origin of another port', JSON.stringify({ ...good, origin: 'http://127.0.0.1:4712' })],
] as const)('%s is refused, and the message holds no token', ([, line]) => {
  expect(() => parseHandshake(line)).toThrow(
    expect.objectContaining({ code: 'bad_request', message: expect.not.stringContaining('secret') }),
  )
})
