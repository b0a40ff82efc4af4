import { expect, test } from 'vitest'
import { findSampling } from '../../../../src-sidecar/backends/draft-engine/catalogue.ts'

test.each([
  ['Euler a', null, 'Euler a', 'Automatic'],
  ['euler a', null, 'Euler a', 'Automatic'],
  ['k_euler', 'Karras', 'Euler', 'Karras'],
  ['DPM++ 2M', null, 'DPM++ 2M', 'Karras'],
  ['DPM++ 2M', 'Exponential', 'DPM++ 2M', 'Exponential'],
  ['DPM++ 2M Karras', null, 'DPM++ 2M', 'Karras'],
  ['Euler SGM Uniform', null, 'Euler', 'SGM Uniform'],
  ['Euler', 'no such', 'Euler', 'Automatic'],
  [null, null, 'DPM++ 2M', 'Karras'],
  ['', 'karras', 'DPM++ 2M', 'Karras'],
])('sampler %j with scheduler %j is %s, %s', (sampler, scheduler, expectedSampler, expectedScheduler) => {
  expect(findSampling(sampler, scheduler)).toEqual({ sampler: expectedSampler, scheduler: expectedScheduler })
})

test('an unknown sampler is not found', () => {
  expect(findSampling('Nope', null)).toBeNull()
  expect(findSampling('Nope Karras', null)).toBeNull()
})
