import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { z } from 'zod'

const listeningSchema = z.object({ event: z.literal('listening'), port: z.int() })

/** The port in the line by which the draft engine says that it listens; null for any other line. */
export function portOf(line: string): number | null {
  try {
    return listeningSchema.parse(JSON.parse(line)).port
  } catch {
    return null
  }
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Longer than a server on this machine takes to accept a connection. */
const connectMs = 1000

/** Whether somebody listens where this address leads. */
export async function isTaken(url: string): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const socket = connect({ host, port: Number(port) || (protocol === 'https:' ? 443 : 80), timeout: connectMs })
  try {
    return await new Promise((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('timeout', () => resolve(false))
      socket.once('error', () => resolve(false))
    })
  } finally {
    socket.destroy()
  }
}
