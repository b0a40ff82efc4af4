import type { Chosen } from '../../src-sidecar/contract/recipe.ts'
import { findVariable } from '../../src-sidecar/contract/variables.ts'

/** Of what can be swept. */
export const settingTitles: Readonly<Record<string, string>> = {
  checkpoint: 'Checkpoint',
  samplerName: 'Sampler',
  scheduler: 'Scheduler',
  steps: 'Steps',
  cfgScale: 'CFG scale',
  width: 'Width',
  height: 'Height',
  seed: 'Seed',
}

/** What was chosen for a job, as name and value: slots, wildcards, swept settings. */
export function chosenPairs(chosen: Chosen | undefined): { name: string; value: string }[] {
  const pairs = (values: Readonly<Record<string, string>> | undefined, title = (name: string) => name) =>
    Object.entries(values ?? {}).map(([name, value]) => ({ name: title(name), value }))
  return [
    ...pairs(chosen?.slots),
    ...pairs(chosen?.wildcards),
    ...pairs(chosen?.sweep, (name) => settingTitles[name] ?? findVariable(name)?.title ?? name),
  ]
}
