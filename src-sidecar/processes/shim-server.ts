import { chmodSync, copyFileSync, fstatSync, ftruncateSync, openSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { onJsonLine, sendJsonLine } from './json-lines.ts'
import type { FromShim, ToShim } from './shim-protocol.ts'

/** A channel to a sidecar that did not start this shim. */
export interface AdoptingLink {
  send(message: FromShim): void
  close(): void
}

/** Listens for the next sidecar. `wanted` says whether there is none now; a second one is turned away. */
export function listenForSidecar(
  socket: string,
  on: { wanted(): boolean; link(link: AdoptingLink): void; message(message: ToShim): void; end(): void },
): Server {
  const server = createServer((connection: Socket) => {
    if (!on.wanted()) {
      connection.on('error', () => {}).destroy()
      return
    }
    on.link({ send: (message) => sendJsonLine(connection, message), close: () => connection.end() })
    sendJsonLine(connection, { type: 'adopted' } satisfies FromShim)
    onJsonLine(connection, (message) => on.message(message as ToShim))
    connection.on('close', on.end)
  })
  server.on('error', () => {})
  server.listen(socket, () => chmodSync(socket, 0o600))
  return server
}

const MAX_LOG_BYTES = 5 * 1024 * 1024

/** A log that needs no reader: the command writes into it itself; past 5 MB it is copied to `.1` and emptied. */
export function openOwnLog(file: string): number {
  const fd = openSync(file, 'a', 0o600)
  setInterval(() => {
    if (fstatSync(fd).size < MAX_LOG_BYTES) return
    copyFileSync(file, `${file}.1`)
    ftruncateSync(fd)
  }, 2000).unref()
  return fd
}
