import type { JsonValue } from './json-tree.ts'

/**
 * A prompt of a `.json` pack: embeddings, text, LoRAs, as StableNew has always joined them. An embedding of weight 1 is
 * `<embedding:name>`, of another `(<embedding:name>:0.8)`; a LoRA `<lora:name:weight>` (A1111).
 */
export function readSlot(value: JsonValue): { prompt: string; negativePrompt: string } {
  if (!isObject(value)) return { prompt: '', negativePrompt: '' }
  const prompt = [...embeddings(value.positive_embeddings), oneLine(value.text), ...loras(value.loras)]
  const negativePrompt = [...embeddings(value.negative_embeddings), oneLine(value.negative)]
  return { prompt: joined(prompt), negativePrompt: joined(negativePrompt) }
}

/** The tags that `readSlot` puts beside the texts. */
export function slotTags(value: JsonValue): { before: string; after: string; negativeBefore: string } {
  if (!isObject(value)) return { before: '', after: '', negativeBefore: '' }
  return {
    before: joined(embeddings(value.positive_embeddings)),
    after: joined(loras(value.loras)),
    negativeBefore: joined(embeddings(value.negative_embeddings)),
  }
}

const isObject = (value: JsonValue | undefined): value is { [key: string]: JsonValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const joined = (parts: readonly string[]): string => parts.filter((part) => part !== '').join(' ')

/** Lines join with a space, as in a `.txt` pack. */
const oneLine = (value: JsonValue | undefined): string =>
  typeof value === 'string' ? joined(value.split(/\r\n|\n|\r/).map((line) => line.trim())) : ''

const embeddings = (value: JsonValue | undefined): string[] =>
  weighted(value).map(({ name, weight }) => (weight === 1 ? `<embedding:${name}>` : `(<embedding:${name}>:${weight})`))

const loras = (value: JsonValue | undefined): string[] => weighted(value).map(({ name, weight }) => `<lora:${name}:${weight}>`)

/** `["name"]`, `[["name", 0.8]]` or `[{"name": "name", "weight": 0.8}]`: each was written by some version. */
function weighted(value: JsonValue | undefined): { name: string; weight: number }[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((entry: JsonValue) => {
    const [name, weight] = isObject(entry) ? [entry.name, entry.weight ?? entry.strength] : Array.isArray(entry) ? entry : [entry]
    if (typeof name !== 'string' || name.trim() === '') return []
    const number = weight === undefined || weight === null || weight === '' ? 1 : Number(weight)
    return [{ name: name.trim(), weight: Number.isFinite(number) ? number : 1 }]
  })
}
