import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ParentWatch } from '../../../src-sidecar/lifecycle/parent-watch.ts'
import { StdinWatch } from '../../../src-sidecar/lifecycle/stdin-watch.ts'
import { waitFor } from '../../helpers/wait-for.ts'

describe('the watch of stdin', () => {
  function watched() {
    const stdin = new PassThrough()
    const lines: string[] = []
    const seen = { ends: 0, lines }
    const watch = new StdinWatch(stdin)
    watch.start(
      () => seen.ends++,
      (line) => lines.push(line),
    )
    return { stdin, watch, seen }
  }

  test('hands on lines and tells of the end', async () => {
    const { stdin, seen } = watched()
    stdin.write('{"port":1}\nsec')
    stdin.write('ond\n')
    await waitFor(() => seen.lines.length === 2, 'two lines')
    expect(seen).toEqual({ ends: 0, lines: ['{"port":1}', 'second'] })
    stdin.end()
    await waitFor(() => seen.ends > 0, 'the end')
  })

  test('takes a broken stdin for its end', async () => {
    const { stdin, seen } = watched()
    stdin.destroy(new Error('EIO'))
    await waitFor(() => seen.ends > 0, 'the end')
  })

  test('tells of no end once it was stopped', async () => {
    const { stdin, watch, seen } = watched()
    watch.stop()
    await waitFor(() => stdin.closed, 'the stream to close')
    expect(seen.ends).toBe(0)
  })
})

describe('the watch of the parent', () => {
  afterEach(() => void vi.useRealTimers())

  test('tells once that there is another parent', () => {
    vi.useFakeTimers()
    let parent = 100
    let gone = 0
    new ParentWatch(() => parent).start(() => gone++)
    vi.advanceTimersByTime(10_000)
    expect(gone).toBe(0)
    parent = 1
    vi.advanceTimersByTime(10_000)
    expect(gone).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('leaves no timer when it is stopped', () => {
    vi.useFakeTimers()
    const watch = new ParentWatch(() => 100)
    watch.start(() => {})
    watch.stop()
    expect(vi.getTimerCount()).toBe(0)
  })
})
