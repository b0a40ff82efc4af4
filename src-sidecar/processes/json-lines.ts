import type { Socket } from 'node:net'

/** Reads one JSON value a line from a socket. A line that is none is left out: neither end may fall over the other. */
export function onJsonLine(socket: Socket, take: (value: unknown) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('error', () => {})
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      let value: unknown
      try {
        value = JSON.parse(line)
      } catch {
        continue
      }
      take(value)
    }
  })
}

export const sendJsonLine = (socket: Socket, value: unknown): void => void socket.write(`${JSON.stringify(value)}\n`)
