/** A picture that came over the WebSocket. */
export interface FramePicture {
  readonly bytes: Uint8Array
  /** Which node it is of; null where the frame does not say: the one that is being executed. */
  readonly nodeId: string | null
  /** null where the frame does not say. */
  readonly promptId: string | null
}

const imageFormats = { jpeg: 1, png: 2 }
const frameTypes = { picture: 1, pictureWithMetadata: 4 }

/**
 * The picture in a binary frame of ComfyUI, or null for any other frame and for what is none at all. Big-endian u32s
 * (`server.py`, `encode_bytes` and `send_image_with_metadata`): `[1][format][picture]` or `[4][length][JSON][picture]`.
 */
export function pictureInFrame(data: ArrayBuffer): FramePicture | null {
  const frame = Buffer.from(data)
  if (frame.length < 9) return null
  const type = frame.readUInt32BE(0)
  const second = frame.readUInt32BE(4)
  if (type === frameTypes.picture)
    return Object.values(imageFormats).includes(second) ? picture(frame.subarray(8), null, null) : null
  if (type !== frameTypes.pictureWithMetadata || 8 + second > frame.length) return null
  const about = parsed(frame.toString('utf8', 8, 8 + second))
  return about && picture(frame.subarray(8 + second), textOr(about.node_id), textOr(about.prompt_id))
}

/** What does not begin like a JPEG, PNG or WebP is no preview that a page could show. */
function picture(bytes: Buffer, nodeId: string | null, promptId: string | null): FramePicture | null {
  const head = bytes.toString('latin1', 0, 4)
  return head.startsWith('\xff\xd8\xff') || head === '\x89PNG' || head === 'RIFF' ? { bytes, nodeId, promptId } : null
}

const textOr = (value: unknown): string | null => (typeof value === 'string' ? value : null)

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
