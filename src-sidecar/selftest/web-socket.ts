import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

const keySuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 }
const longestMessage = 1 << 20

interface Frame {
  readonly opcode: number
  readonly payload: Buffer
  readonly length: number
}

/** The server's side of one WebSocket (RFC 6455), as much as Node's own client uses: whole text messages, no compression. */
export class WebSocketConnection {
  readonly #socket: Duplex
  readonly #onText: (text: string) => void
  #unread: Buffer

  /** Answers the upgrade request. `onClose` is told once. */
  constructor(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { onText, onClose }: { onText: (text: string) => void; onClose: () => void },
  ) {
    this.#socket = socket
    this.#onText = onText
    this.#unread = head
    const key = `${request.headers['sec-websocket-key']}${keySuffix}`
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}`,
    ]
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    socket.on('error', () => {})
    socket.on('data', (data: Buffer) => this.#read(data))
    socket.once('end', () => socket.end())
    socket.once('close', onClose)
  }

  send(text: string): void {
    this.#write(opcodes.text, Buffer.from(text))
  }

  sendBinary(bytes: Uint8Array): void {
    this.#write(opcodes.binary, Buffer.from(bytes))
  }

  /** Without a closing frame, as when the other side's process dies. */
  destroy(): void {
    this.#socket.destroy()
  }

  #read(data: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, data])
    for (let frame = nextFrame(this.#unread); frame !== undefined; frame = nextFrame(this.#unread)) {
      this.#unread = this.#unread.subarray(frame.length)
      if (frame.opcode === opcodes.text) this.#onText(frame.payload.toString())
      else if (frame.opcode === opcodes.ping) this.#write(opcodes.pong, frame.payload)
      else if (frame.opcode === opcodes.close) {
        this.#write(opcodes.close, frame.payload)
        this.#socket.end()
      } else if (frame.opcode !== opcodes.pong) this.destroy()
    }
    if (this.#unread.length > longestMessage) this.destroy()
  }

  #write(opcode: number, payload: Buffer): void {
    if (!this.#socket.writable) return
    const { length } = payload
    const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
    header[0] = 0x80 | opcode
    if (length < 126) header[1] = length
    else if (length < 65_536) {
      header[1] = 126
      header.writeUInt16BE(length, 2)
    } else {
      header[1] = 127
      header.writeBigUInt64BE(BigInt(length), 2)
    }
    this.#socket.write(Buffer.concat([header, payload]))
  }
}

/** The first frame, unmasked; undefined while it is not all there. A message in parts comes out with opcode 0 or 15. */
function nextFrame(data: Buffer): Frame | undefined {
  if (data.length < 2) return undefined
  const short = data[1]! & 0x7f
  const at = short < 126 ? 2 : short === 126 ? 4 : 10
  if (data.length < at + 4) return undefined
  const size = short < 126 ? short : short === 126 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2))
  if (data.length < at + 4 + size) return undefined
  const mask = data.subarray(at, at + 4)
  const payload = Buffer.from(data.subarray(at + 4, at + 4 + size).map((byte, index) => byte ^ mask[index % 4]!))
  const isWhole = (data[0]! & 0x80) !== 0
  return { opcode: isWhole ? data[0]! & 0x0f : 15, payload, length: at + 4 + size }
}
