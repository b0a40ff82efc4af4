import { expect, test } from 'vitest'
import { findVariable, variables, variablesOf } from '../../../src-sidecar/contract/variables.ts'
import { recipe } from '../jobs/queue-fixture.ts'

const full = recipe({
  prompt: 'a cat <lora:ink:0.8> <lora:grain:0.5:0.7>',
  checkpoint: 'dream',
  vae: 'clear',
  clipSkip: 2,
  hires: { scale: 2, upscaler: 'Latent', steps: 0, denoisingStrength: 0.5 },
  refiner: { checkpoint: 'fine', switchAt: 0.8 },
  stages: [
    { as: 'img2img', denoisingStrength: 0.5, steps: 9, cfgScale: 4, samplerName: 'Euler', keepInput: false },
    { as: 'upscale', upscaler: 'Lanczos', scale: 2, keepInput: true },
  ],
  adetailer: [{ model: 'face', prompt: '', negativePrompt: '', confidence: 0.3, denoisingStrength: 0.4 }],
})

test('every variable reads what it has written, and changes nothing else', () => {
  for (const variable of [...variables, ...variablesOf(full).filter(({ id }) => id.startsWith('lora:'))]) {
    const value = variable.of === 'number' ? 0.75 : 'another'
    const written = variable.write(full, value)
    expect(variable.read(written), variable.id).toBe(value)
    const back = variable.write(written, variable.read(full)!)
    expect(back, variable.id).toEqual(full)
    expect(findVariable(variable.id)?.title).toBe(variable.title)
  }
})

test('a recipe has its settings and its LoRAs, and not what is switched off', () => {
  const has = (more: Parameters<typeof recipe>[0]) => variablesOf(recipe(more)).map(({ id }) => id)
  expect(has({})).toEqual(['cfgScale', 'steps', 'samplerName', 'scheduler', 'width', 'height'])
  expect(has({ prompt: full.prompt }).slice(-2)).toEqual(['lora:ink', 'lora:grain'])
  expect(has({ hires: full.hires! })).toContain('hires.denoisingStrength')
})

test('a LoRA that is not in the prompt is put there; one with two strengths keeps the second', () => {
  expect(findVariable('lora:new')?.write(full, 1).prompt).toBe(`${full.prompt} <lora:new:1>`)
  expect(findVariable('lora:grain')?.write(full, 1).prompt).toContain('<lora:grain:1:0.7>')
})

test('there is no variable without a name', () => {
  expect([findVariable('lora:'), findVariable('speed'), findVariable('')]).toEqual([undefined, undefined, undefined])
})
