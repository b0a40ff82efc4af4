import sharp from 'sharp'
import { withPngText } from '../../../src-sidecar/history/png-text.ts'

export type ComfyGraph = Record<string, { class_type: string; inputs: Record<string, unknown> }>

export const samplersOf = (graph: ComfyGraph): string[] =>
  Object.keys(graph).filter((id) => graph[id]!.class_type.startsWith('KSampler'))

/** As ComfyUI validates: links to nodes that are there, files that it has. Null where all is well. */
export function invalidNodes(graph: ComfyGraph, has: { checkpoints: string[]; loras: string[] }): object | null {
  const wrong: Record<string, object> = {}
  const lists: Record<string, readonly string[]> = { ckpt_name: has.checkpoints, lora_name: has.loras }
  for (const [id, { class_type, inputs }] of Object.entries(graph)) {
    const errors = Object.entries(inputs).flatMap(([name, value]) => {
      if (Array.isArray(value) && !(String(value[0]) in graph))
        return [{ type: 'exception_during_inner_validation', message: 'Exception when validating inner node', details: name }]
      const list = lists[name]
      return list === undefined || list.includes(String(value))
        ? []
        : [{ type: 'value_not_in_list', message: 'Value not in list', details: `${name}: '${value}' not in ${list}` }]
    })
    if (errors.length > 0) wrong[id] = { errors, dependent_outputs: [], class_type }
  }
  return Object.keys(wrong).length === 0 ? null : wrong
}

/** A picture of the latent's size, whose text chunks hold the graph as ComfyUI writes it. */
export async function pictureFor(graph: ComfyGraph, node: string): Promise<{ png: Buffer; type: 'output' | 'temp' }> {
  const latent = Object.values(graph).find(({ class_type }) => class_type.startsWith('Empty'))
  const side = (name: string) => Math.floor(Number(latent?.inputs[name] ?? 64) / 8) * 8
  const plain = await sharp({ create: { width: side('width'), height: side('height'), channels: 3, background: '#47a' } })
    .png()
    .toBuffer()
  const type = graph[node]!.class_type === 'SaveImage' ? 'output' : 'temp'
  return { png: withPngText(plain, 'prompt', JSON.stringify(graph)), type }
}

let jpeg: Promise<Buffer> | undefined
export const previewJpeg = (): Promise<Buffer> =>
  (jpeg ??= sharp({ create: { width: 8, height: 8, channels: 3, background: '#fa2' } })
    .jpeg()
    .toBuffer())

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Type 1; the format is 1 for JPEG, 2 for PNG. */
export const plainFrame = (format: number, picture: Uint8Array): Buffer => Buffer.concat([u32(1), u32(format), picture])

/** Type 4, for those who said `supports_preview_metadata`. */
export function metadataFrame(metadata: object, picture: Uint8Array): Buffer {
  const text = Buffer.from(JSON.stringify(metadata))
  return Buffer.concat([u32(4), u32(text.length), text, picture])
}
