import { expect, test } from 'vitest'
import { AppSampler } from '../../../src-sidecar/diagnostics/app-sampler.ts'

const open = () => process.getActiveResourcesInfo().filter((name) => name === 'IntervalHistogram')

test('an end before the start leaves nothing open', () => {
  new AppSampler().stop()
  expect(open()).toEqual([])
})

test('delays of the event loop are told between start and stop', () => {
  const sampler = new AppSampler()
  expect(sampler.take()).toMatchObject({ delayMeanMs: 0, delayMaxMs: 0 })
  sampler.start()
  expect(sampler.take().delayMaxMs).toBeGreaterThanOrEqual(0)
  sampler.stop()
  expect(open()).toEqual([])
})
