import { expect, test } from 'vitest'
import { chosenBackends } from '../../../src-sidecar/cli/chosen-backend.ts'
import { backendSettingsSchema } from '../../../src-sidecar/contract/settings.ts'

const backends = [
  { id: 'one', kind: 'sdapi', url: 'http://127.0.0.1:7860', name: 'Big GPU', enabled: false },
  { id: 'two', kind: 'comfyui', url: 'http://127.0.0.1:8188' },
  { id: 'three', kind: 'comfyui', url: 'http://127.0.0.1:8189' },
].map((one) => backendSettingsSchema.parse(one))
const ids = (wanted?: string) => chosenBackends(backends, wanted).map(({ id }) => id)

test('a backend is chosen by its id, name or address, several by their kind; it is switched on for that', () => {
  expect(ids()).toEqual(['one', 'two', 'three'])
  expect(ids('two')).toEqual(['two'])
  expect(ids('big gpu')).toEqual(['one'])
  expect(ids('http://127.0.0.1:8189')).toEqual(['three'])
  expect(ids('comfyui')).toEqual(['two', 'three'])
  expect(ids('draft')).toEqual(['draft'])
  expect(chosenBackends(backends, 'one')[0]?.enabled).toBe(true)
})

test('one that is not there is refused with those that are', () => {
  expect(() => ids('four')).toThrow('There is no backend "four" in the settings. There is one (Big GPU), two, three, and draft.')
})
