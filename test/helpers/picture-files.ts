import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { withPngText } from '../../src-sidecar/history/png-text.ts'

/** Who wrote a picture, as the history names them. */
export const makers = ['AUTOMATIC1111', 'ComfyUI', 'StableNew'] as const

const filesInFolder = 400

const infotext = (at: number, more = '') =>
  `picture number ${at}\nNegative prompt: blurry\nSteps: 25, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6, Seed: ${at}, Size: 512x768, Model: dream${more}`

/** A picture of ComfyUI's in API format. */
export const promptGraph = (prompt: string, seed: number) => ({
  3: {
    class_type: 'KSampler',
    inputs: {
      seed,
      steps: 20,
      cfg: 8,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
      model: ['4', 0],
      positive: ['6', 0],
      negative: ['7', 0],
      latent_image: ['5', 0],
    },
  },
  4: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'sdxl.safetensors' } },
  5: { class_type: 'EmptyLatentImage', inputs: { width: 512, height: 512, batch_size: 1 } },
  6: { class_type: 'CLIPTextEncode', inputs: { text: prompt, clip: ['4', 1] } },
  7: { class_type: 'CLIPTextEncode', inputs: { text: 'blurry', clip: ['4', 1] } },
})

/**
 * Writes tiny PNGs into subfolders, in turn as each of the makers does. The seed of each is its number.
 * @returns their paths, in the order of their numbers
 */
export async function writePictures(folder: string, count: number): Promise<string[]> {
  const png = await sharp({ create: { width: 2, height: 2, channels: 3, background: '#3a6' } })
    .png()
    .toBuffer()
  const texts = [
    (at: number) => withPngText(png, 'parameters', infotext(at)),
    (at: number) => withPngText(png, 'prompt', JSON.stringify(promptGraph(`picture number ${at}`, at))),
    (at: number) => withPngText(png, 'parameters', infotext(at, ', Version: StableNew')),
  ]
  return Array.from({ length: count }, (_, at) => {
    const within = join(folder, `set ${Math.floor(at / filesInFolder)}`)
    if (at % filesInFolder === 0) mkdirSync(within, { recursive: true })
    // Names that come again in each folder, as they do.
    const path = join(within, `${String(at % filesInFolder).padStart(5, '0')}.png`)
    writeFileSync(path, texts[at % texts.length]!(at))
    return path
  })
}
