import { modelKey } from '../../contract/model-key.ts'
import { AppError } from '../../errors/app-error.ts'
import type { ComfyuiModels } from './comfyui-models.ts'
import type { Lora } from './graphs.ts'
import { fileNamed, type LoraTag } from './lora-tags.ts'

/** The server's file for the checkpoint of the settings, or its first. @throws AppError `backend_rejected` where there is none. */
export async function chosenCheckpoint(wanted: string, models: ComfyuiModels, signal: AbortSignal): Promise<string> {
  const files = await models.checkpoints(signal)
  if (files.length === 0)
    throw new AppError('backend_rejected', 'ComfyUI has no checkpoint. Put one into its folder models/checkpoints, then retry.')
  if (wanted === '') return files[0]!
  // A1's spelling has a hash behind it.
  const file = fileNamed(wanted, files) ?? files.find((one) => modelKey(one) === modelKey(wanted))
  return file ?? reject('checkpoint', wanted, files, 'Choose another in the recipe or in the settings')
}

/** @throws AppError `backend_rejected` where it has no such VAE */
export async function chosenVae(wanted: string, models: ComfyuiModels, signal: AbortSignal): Promise<string> {
  const files = await models.vaes(signal)
  return fileNamed(wanted, files) ?? reject('VAE', wanted, files, 'Choose another in the recipe')
}

/** @throws AppError `backend_rejected` where it has no such upscaler */
export async function chosenUpscaler(wanted: string, models: ComfyuiModels, signal: AbortSignal): Promise<string> {
  const files = await models.upscalers(signal)
  return fileNamed(wanted, files) ?? reject('upscaler', wanted, files, 'Choose another in the recipe, such as Latent')
}

const reject = (...about: Parameters<typeof missing>): never => {
  throw missing(...about)
}

/** The server's files for the tags of a prompt. @throws AppError `backend_rejected`, naming the first that it has not. */
export async function foundLoras(tags: readonly LoraTag[], models: ComfyuiModels, signal: AbortSignal): Promise<Lora[]> {
  if (tags.length === 0) return []
  const files = await models.loras(signal)
  return tags.map(({ name, weight, clipWeight }) => {
    const file = fileNamed(name, files)
    if (file === null) throw missing('LoRA', name, files, 'Correct the tag in the prompt, or put the file into models/loras')
    return { file, weight, clipWeight }
  })
}

function missing(what: string, name: string, files: readonly string[], advice: string): AppError {
  const known = files.length === 0 ? 'It has none' : `It has ${files.slice(0, 5).join(', ')}${files.length > 5 ? ', …' : ''}`
  return new AppError('backend_rejected', `ComfyUI has no ${what} "${name}". ${advice}. ${known}.`)
}
