import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import sharp from 'sharp'
import type { GeneratedImage } from '../../../src-sidecar/backends/backend.ts'
import type { Recipe } from '../../../src-sidecar/contract/recipe.ts'
import type { NewJob } from '../../../src-sidecar/jobs/job-store.ts'
import { type Database, openDatabase } from '../../../src-sidecar/store/database.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

export const silent = pino({ level: 'silent' })

export const recipe = (more: Partial<Recipe> = {}): Recipe => ({
  version: 1,
  prompt: 'a cat',
  negativePrompt: '',
  samplerName: 'Euler a',
  scheduler: 'Automatic',
  steps: 20,
  cfgScale: 7,
  seed: 1000,
  width: 64,
  height: 64,
  images: 1,
  ...more,
})

export const newJob = (more: Partial<Recipe> = {}, promptIndex = 0): NewJob => ({
  packId: 'user/cats.txt',
  packName: 'cats',
  promptIndex,
  recipe: recipe(more),
  pinnedTo: null,
})

export async function newDatabase(): Promise<{ database: Database; folder: string; path: string }> {
  const folder = tempDir('queue')
  mkdirSync(join(folder, 'backups'))
  const path = join(folder, 'stablenew.db')
  return { database: await openDatabase(path, join(folder, 'backups')), folder, path }
}

let png: Promise<Buffer> | undefined
export const smallPng = (): Promise<Buffer> =>
  (png ??= sharp({ create: { width: 8, height: 8, channels: 3, background: '#3a6' } })
    .png()
    .toBuffer())

export const made = async (seed = 1000): Promise<GeneratedImage> => ({
  png: await smallPng(),
  width: 8,
  height: 8,
  seed,
  checkpoint: 'model',
  parameters: 'a cat\nSteps: 20',
  durationMs: 5,
})
