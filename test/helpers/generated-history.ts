import type { Recipe } from '../../src-sidecar/contract/recipe.ts'
import { ImageStore } from '../../src-sidecar/history/image-store.ts'
import type { Database } from '../../src-sidecar/store/database.ts'
import { seededRandom } from './seeded-random.ts'

const imagesPerJob = 8
const jobsAtOnce = 500
const dayMs = 86_400_000

const list = (name: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${name}${at + 1}`)
const nouns = [
  'portrait',
  'landscape',
  'castle',
  'forest',
  'lighthouse',
  'city',
  'dragon',
  'owl',
  'cat',
  'harbour',
  'mountain lake',
]
const looks = ['misty', 'golden', 'neon', 'stormy', 'quiet', 'ancient', 'snowy', 'vivid', 'moonlit', 'faded']
const rare = list('word', 20_000)
const models = list('model-v', 14).map((name) => `${name}.safetensors`)
const loras = list('style-', 60)
const samplers = ['Euler a', 'Euler', 'DPM++ 2M', 'DPM++ SDE', 'DDIM', 'UniPC', 'LMS', 'Heun']
const sizes = [
  [512, 512],
  [768, 512],
  [512, 768],
  [1024, 1024],
  [832, 1216],
  [1216, 832],
] as const
const packs = list('pack ', 80)
const moods = list('mood ', 25)
const backends = ['GPU 1', 'GPU 2', 'laptop']

/**
 * Fills a history with images as years of use leave it: few values are common and many are rare, as words are.
 * @param endMs when the last image was made
 */
export function generateHistory(database: Database, images: number, endMs: number, onProgress: (images: number) => void): void {
  const random = seededRandom(1).next
  const one = <T>(values: readonly T[]): T => values[Math.floor(values.length * random() ** 2)]!
  const store = new ImageStore(database)
  const addJob = database.prepare(
    `INSERT INTO jobs (pack_id, pack_name, prompt_index, state, position, recipe, images_wanted, images_done, created_at_ms)
     VALUES (@pack, @pack, 0, 'completed', 0, @recipe, @images, @images, @createdAtMs)`,
  )
  const stepMs = (1000 * dayMs) / images
  let made = 0
  const job = () => {
    const mood = one(moods)
    const [width, height] = one(sizes)
    const lora = random() < 0.4 ? ` <lora:${one(loras)}:0.8>` : ''
    const prompt = `${one(looks)} ${one(nouns)} with ${one(rare)} and ${one(rare)}, ${mood}, ${one(looks)} light, ${one(rare)}, highly detailed${lora}`
    const recipe: Recipe = {
      version: 1,
      prompt,
      negativePrompt: `blurry, watermark, ${one(rare)}`,
      samplerName: one(samplers),
      scheduler: 'Automatic',
      steps: 20 + Math.floor(random() * 20),
      cfgScale: 7,
      seed: Math.floor(random() * 2 ** 32),
      width,
      height,
      images: imagesPerJob,
      chosen: { slots: { mood } },
    }
    const [pack, checkpoint, backend] = [one(packs), one(models), one(backends)]
    const createdAtMs = Math.round(endMs - (images - made) * stepMs)
    const added = addJob.run({ pack, recipe: JSON.stringify(recipe), images: imagesPerJob, createdAtMs })
    for (let index = 0; index < imagesPerJob && made < images; index++, made++) {
      const seed = (recipe.seed + index) % 2 ** 32
      const { id } = store.add({
        jobId: Number(added.lastInsertRowid),
        imageIndex: index,
        stage: 0,
        intermediate: false,
        path: `/images/${made}.png`,
        width,
        height,
        sizeBytes: 400_000,
        seed,
        checkpoint,
        backend,
        durationMs: Math.round(1500 * Math.exp(3 * random())),
        parameters: `${prompt}\nSteps: ${recipe.steps}, Seed: ${seed}`,
        createdAtMs: Math.round(createdAtMs + index * stepMs),
      })
      if (random() < 0.15) store.rate(id, 1 + Math.floor(5 * random()), endMs)
      if (random() < 0.03) store.setTags(id, [one(['print', 'cover', 'again', 'gift'])])
    }
  }
  while (made < images) {
    database.transaction(() => {
      for (let at = 0; at < jobsAtOnce && made < images; at++) job()
    })()
    onProgress(made)
  }
}
