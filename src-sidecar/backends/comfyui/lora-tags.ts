export interface LoraTag {
  readonly name: string
  /** For the U-Net. */
  readonly weight: number
  /** For the text encoder. */
  readonly clipWeight: number
}

const tag = /<lora:([^:>]+)((?::[^:>]*)*)>/gi

/**
 * A1's LoRA tags in a prompt, and the prompt without them: `<lora:name:weight>` or `<lora:name:te=weight:unet=weight>`. The
 * first number is the text encoder's and, without a second one, the U-Net's too; 1 where there is none. A1 1.10,
 * `extensions-builtin/Lora/extra_networks_lora.py`.
 */
export function loraTags(prompt: string): { text: string; loras: LoraTag[] } {
  const loras: LoraTag[] = []
  const text = prompt.replaceAll(tag, (_, name: string, rest: string) => {
    const items = rest.split(':').slice(1)
    const named = (key: string) => items.find((item) => item.startsWith(`${key}=`))?.slice(key.length + 1)
    const [first, second] = items.filter((item) => !item.includes('='))
    const clipWeight = numberOr(named('te') ?? first, 1)
    loras.push({ name: name.trim(), weight: numberOr(named('unet') ?? second, clipWeight), clipWeight })
    return ''
  })
  return { text: loras.length === 0 ? prompt : tidied(text), loras }
}

/** Without the commas and blanks that stood around the tags. */
const tidied = (text: string): string =>
  text
    .replaceAll(/\s*,(\s*,)+/g, ',')
    .replaceAll(/[ \t]{2,}/g, ' ')
    .replace(/^[\s,]+|[\s,]+$/g, '')

const numberOr = (text: string | undefined, otherwise: number): number => {
  const value = Number.parseFloat(text ?? '')
  return Number.isFinite(value) ? value : otherwise
}

const withoutExtension = (file: string): string => file.replace(/\.(safetensors|ckpt|pt|pth|bin|sft)$/i, '')
const plain = (file: string): string => withoutExtension(file.replace(/^.*[\\/]/, '')).toLowerCase()

/** The server's file for a name: as it is, without its extension, or without its folder and in any case. Null where none is. */
export const fileNamed = (name: string, files: readonly string[]): string | null =>
  files.find((file) => file === name) ??
  files.find((file) => withoutExtension(file) === name) ??
  files.find((file) => plain(file) === plain(name)) ??
  null
