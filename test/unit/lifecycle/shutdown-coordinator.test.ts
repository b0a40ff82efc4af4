import { describe, expect, test } from 'vitest'
import type { StopReason } from '../../../src-sidecar/lifecycle/component.ts'
import {
  type Phase,
  phases,
  ShutdownCoordinator,
  type ShutdownStep,
} from '../../../src-sidecar/lifecycle/shutdown-coordinator.ts'
import { waitFor } from '../../helpers/wait-for.ts'

const step = (phase: Phase, name: string, run: ShutdownStep['run'] = async () => {}, deadlineMs = 5000): ShutdownStep => ({
  phase,
  name,
  deadlineMs,
  run,
})

/** A coordinator with one step that ends when the test says so, or when grace is cut short. */
function holding() {
  const coordinator = new ShutdownCoordinator(() => {})
  const held = Promise.withResolvers<void>()
  let force: AbortSignal | undefined
  coordinator.register(
    step('jobs', 'image', async (_reason, signal) => {
      force = signal
      signal.addEventListener('abort', () => held.resolve())
      if (signal.aborted) held.resolve()
      await held.promise
    }),
  )
  return { coordinator, finish: held.resolve, forced: () => force?.aborted ?? false }
}

const pastMerging = async () => {
  const began = performance.now()
  await waitFor(() => performance.now() - began > 1010, 'a second')
}

describe('the phases', () => {
  test('come in their order, however the steps were registered', async () => {
    const seen: string[] = []
    const coordinator = new ShutdownCoordinator((reason, name) => seen.push(`${reason.trigger}: ${name}`))
    for (const phase of phases.toReversed()) coordinator.register(step(phase, phase))
    const report = await coordinator.request({ trigger: 'SIGTERM' })
    expect(seen).toEqual(phases.map((phase) => `SIGTERM: ${phase}`))
    expect(report.steps.map(({ phase }) => phase)).toEqual(phases)
    expect(report).toMatchObject({ reason: { trigger: 'SIGTERM' }, forced: false, clean: true })
  })

  test('begin when the one before is over; steps of one phase run side by side', async () => {
    const log: string[] = []
    const coordinator = new ShutdownCoordinator(() => {})
    const second = Promise.withResolvers<void>()
    coordinator.register(
      step('components', 'first', async () => {
        await second.promise
        log.push('first')
      }),
    )
    coordinator.register(
      step('components', 'second', async () => {
        log.push('second')
        second.resolve()
      }),
    )
    coordinator.register(step('processes', 'third', async () => void log.push('third')))
    await coordinator.request({ trigger: 'api' })
    expect(log).toEqual(['second', 'first', 'third'])
  })

  test('hand every step the reason', async () => {
    const reason: StopReason = { trigger: 'shell-gone', detail: 'socket lost' }
    const seen: StopReason[] = []
    const coordinator = new ShutdownCoordinator(() => {})
    coordinator.register(step('jobs', 'one', async (given) => void seen.push(given)))
    await coordinator.request(reason)
    expect(seen).toEqual([reason])
  })

  test('end at once where there is nothing to do', async () => {
    expect(await new ShutdownCoordinator(() => {}).request({ trigger: 'api' })).toMatchObject({ clean: true, steps: [] })
  })
})

describe('what goes wrong does not stop the rest', () => {
  test.each<[string, ShutdownStep['run'], RegExp]>([
    ['fails', async () => Promise.reject(new Error('broken pipe')), /broken pipe/],
    [
      'throws before its first await',
      () => {
        throw new Error('broken at once')
      },
      /broken at once/,
    ],
    ['rejects with what is no error', () => Promise.reject('a text'), /a text/],
    ['hangs', () => new Promise(() => {}), /^bad was not done within 50 ms$/],
  ])('a step that %s', async (_, run, message) => {
    const done: string[] = []
    const coordinator = new ShutdownCoordinator(() => {})
    coordinator.register(step('jobs', 'bad', run, 50))
    coordinator.register(step('jobs', 'beside', async () => void done.push('beside')))
    coordinator.register(step('verify', 'after', async () => void done.push('after')))
    const report = await coordinator.request({ trigger: 'api' })
    expect(done).toEqual(['beside', 'after'])
    expect(report.clean).toBe(false)
    expect(report.steps.map(({ name, error }) => [name, error])).toEqual([
      ['bad', expect.stringMatching(message)],
      ['beside', null],
      ['after', null],
    ])
  })

  test('whoever is told of the progress and fails', async () => {
    const done: string[] = []
    const coordinator = new ShutdownCoordinator(() => {
      throw new Error('the page is gone')
    })
    coordinator.register(step('jobs', 'one', async () => void done.push('one')))
    coordinator.register(step('verify', 'two', async () => void done.push('two')))
    const report = await coordinator.request({ trigger: 'api' })
    expect(done).toEqual(['one', 'two'])
    expect(report.clean).toBe(true)
  })
})

describe('a second request', () => {
  test('shares the first one and its reason', async () => {
    const { coordinator, finish } = holding()
    expect(coordinator.closing).toBe(false)
    const first = coordinator.request({ trigger: 'window-close' })
    expect(coordinator.closing).toBe(true)
    const second = coordinator.request({ trigger: 'stdin-eof' })
    finish()
    expect(await second).toBe(await first)
    expect((await second).reason).toEqual({ trigger: 'window-close' })
  })

  test('within a second belongs to the first: grace goes on', async () => {
    const { coordinator, finish, forced } = holding()
    void coordinator.request({ trigger: 'stdin-eof' })
    void coordinator.request({ trigger: 'SIGTERM' })
    const report = coordinator.request({ trigger: 'api' }, true)
    expect(forced()).toBe(false)
    finish()
    expect(await report).toMatchObject({ forced: false })
  })

  test('after a second cuts grace short where it is a signal or "stop now", and only then', async () => {
    const [bySignal, byButton] = [holding(), holding()]
    for (const { coordinator } of [bySignal, byButton]) void coordinator.request({ trigger: 'SIGTERM' })
    await pastMerging()
    for (const { coordinator, forced } of [bySignal, byButton]) {
      void coordinator.request({ trigger: 'parent-gone' })
      void coordinator.request({ trigger: 'exit-button' })
      expect(forced()).toBe(false)
    }
    expect(await bySignal.coordinator.request({ trigger: 'SIGINT' })).toMatchObject({ forced: true, clean: true })
    expect(await byButton.coordinator.request({ trigger: 'api' }, true)).toMatchObject({ forced: true, clean: true })
  })

  test('that is the first and says "now" has no grace at all', async () => {
    const { coordinator, forced } = holding()
    expect(await coordinator.request({ trigger: 'api' }, true)).toMatchObject({ forced: true })
    expect(forced()).toBe(true)
  })
})
