import { getActiveResourcesInfo } from 'node:process'
import { expect, test } from 'vitest'
import { withDeadline } from '../../../src-sidecar/lifecycle/deadline.ts'

const timers = () => getActiveResourcesInfo().filter((name) => name === 'Timeout').length

test('work in time gives its value, and leaves no timer', async () => {
  const before = timers()
  expect(await withDeadline('work', 60_000, Promise.resolve(7))).toBe(7)
  expect(timers()).toBe(before)
})

test('work that fails in time fails as it did, and leaves no timer', async () => {
  const before = timers()
  await expect(withDeadline('work', 60_000, Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(timers()).toBe(before)
})

test('work that takes too long is named', async () => {
  await expect(withDeadline('the window', 20, new Promise(() => {}))).rejects.toMatchObject({
    code: 'timeout',
    message: 'the window was not done within 20 ms',
    data: { name: 'the window', ms: 20 },
  })
})

test('work that fails after its deadline disturbs nobody', async () => {
  const work = Promise.withResolvers<void>()
  await expect(withDeadline('work', 1, work.promise)).rejects.toMatchObject({ code: 'timeout' })
  work.reject(new Error('late'))
  await new Promise((resolve) => setImmediate(resolve))
})
