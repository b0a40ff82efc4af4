import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
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
