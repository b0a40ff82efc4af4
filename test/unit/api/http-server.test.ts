import { once } from 'node:events'
import { connect } from 'node:net'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { HttpServer } from '../../../src-sidecar/api/http-server.ts'
import { listeningPorts } from '../../helpers/survivors.ts'
import { waitFor } from '../../helpers/wait-for.ts'

const hello = async () => new Hono().get('/', (c) => c.text('hello'))

test('listens on 127.0.0.1 on a port of its own, and not after its stop', async () => {
  const [one, two] = [new HttpServer(hello), new HttpServer(hello)]
  expect(one.port).toBe(0)
  await Promise.all([one.start(), two.start()])
  const ports = [one.port, two.port]
  expect(new Set([...ports, 0]).size).toBe(3)
  expect(await (await fetch(`http://127.0.0.1:${one.port}/`)).text()).toBe('hello')
  await Promise.all([one.stop(), one.stop(), two.stop()])
  expect(await one.closed).toEqual({ name: 'http server' })
  expect(listeningPorts().filter((port) => ports.includes(port))).toEqual([])
})

test('what answers is loaded with the first request, and once', async () => {
  let loaded = 0
  const server = new HttpServer(() => {
    loaded++
    return hello()
  })
  await server.start()
  expect(loaded).toBe(0)
  const ask = async () => await (await fetch(`http://127.0.0.1:${server.port}/`)).text()
  expect(await Promise.all([ask(), ask(), server.prepare()])).toEqual(['hello', 'hello', undefined])
  expect(loaded).toBe(1)
  await server.stop()
})

test('what can not be loaded is an error where it is prepared, and 500 for who asks', async () => {
  const server = new HttpServer(() => Promise.reject(new Error('broken')))
  await server.start()
  await expect(server.prepare()).rejects.toThrow('broken')
  expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBe(500)
  await server.stop()
})

test('a stop waits for the answer that is being written', async () => {
  const held = Promise.withResolvers<void>()
  let asked = 0
  const server = new HttpServer(async () =>
    new Hono().get('/', async (c) => {
      asked++
      await held.promise
      return c.text('late')
    }),
  )
  await server.start()
  const answer = fetch(`http://127.0.0.1:${server.port}/`).then((response) => response.text())
  await waitFor(() => asked === 1, 'the request')
  const stopped = server.stop()
  held.resolve()
  expect(await answer).toBe('late')
  await stopped
})

test('a stop does not wait for a connection that says nothing, nor for an answer that never comes', async () => {
  const server = new HttpServer(async () => new Hono().get('/', () => new Promise<Response>(() => {})))
  await server.start()
  const silent = connect(server.port, '127.0.0.1')
  await once(silent, 'connect')
  const never = fetch(`http://127.0.0.1:${server.port}/`).catch(() => 'cut')
  const began = performance.now()
  await server.stop()
  expect(performance.now() - began).toBeLessThan(1500)
  expect(await never).toBe('cut')
  silent.destroy()
})

test('a stop before or during the start ends it', async () => {
  const [one, two] = [new HttpServer(hello), new HttpServer(hello)]
  await one.stop()
  await one.start()
  await Promise.all([two.start(), two.stop()])
  expect(await one.closed).toEqual({ name: 'http server' })
  expect(listeningPorts().filter((port) => [one.port, two.port].includes(port))).toEqual([])
})

test('while it stops, what a connection that is still open asks is answered and not taken for a stranger’s', async () => {
  const held = Promise.withResolvers<void>()
  const ports: number[] = []
  const server: HttpServer = new HttpServer(async () =>
    new Hono().get('/', async (c) => {
      ports.push(server.port)
      await held.promise
      ports.push(server.port)
      return c.text('hello')
    }),
  )
  await server.start()
  const answer = fetch(`http://127.0.0.1:${server.port}/`)
  await waitFor(() => ports.length === 1, 'the request')
  const stopped = server.stop()
  held.resolve()
  expect((await answer).status).toBe(200)
  await stopped
  expect(ports[1]).toBe(ports[0])
  expect(ports[1]).toBeGreaterThan(0)
})
