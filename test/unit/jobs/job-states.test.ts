import { expect, test } from 'vitest'
import { type JobState, jobStates } from '../../../src-sidecar/contract/job.ts'
import { canTransition, type Transition, transitions } from '../../../src-sidecar/jobs/job-states.ts'

/** Written out by hand: every change of state that there is. */
const allowed: Record<Transition, readonly [readonly JobState[], JobState]> = {
  claim: [['queued'], 'running'],
  complete: [['running'], 'completed'],
  fail: [['running'], 'failed'],
  cancelRunning: [['running'], 'cancelled'],
  cancelPending: [['queued'], 'cancelled'],
  interrupt: [['running'], 'interrupted'],
  requeue: [['interrupted'], 'queued'],
  quarantine: [['interrupted'], 'quarantined'],
  retry: [['failed', 'cancelled', 'quarantined'], 'queued'],
}
const names = Object.keys(transitions) as Transition[]

test('there are these transitions and no others', () => {
  expect(names.toSorted()).toEqual(Object.keys(allowed).toSorted())
})

const pairs = names.flatMap((transition) => jobStates.map((state) => [transition, state] as const))

test.each(pairs)('%s of a job that is %s', (transition, state) => {
  const [from, to] = allowed[transition]
  expect(canTransition(transition, state)).toBe(from.includes(state))
  expect(transitions[transition].to).toBe(to)
})

test('a completed job stays so, and every other state leads somewhere', () => {
  const stuck = jobStates.filter((state) => !names.some((transition) => canTransition(transition, state)))
  expect(stuck).toEqual(['completed'])
})

test('every state can be reached from the queue', () => {
  const reached = new Set<JobState>(['queued'])
  for (let before = 0; before !== reached.size; ) {
    before = reached.size
    for (const name of names) {
      if ([...reached].some((state) => canTransition(name, state))) reached.add(transitions[name].to)
    }
  }
  expect([...reached].toSorted()).toEqual(jobStates.toSorted())
})
