import { z } from 'zod'
import { AppError } from '../errors/app-error.ts'

const localOrigin = /^http:\/\/(127\.0\.0\.1|localhost):(\d{1,5})$/

const handshakeSchema = z
  .object({
    nlPort: z.coerce.number().int().min(1).max(65_535),
    nlToken: z.string().min(1),
    nlConnectToken: z.string().min(1),
    nlExtensionId: z.string().min(1),
    /** Of the page in the window, which alone may call the API from elsewhere. */
    origin: z.string().regex(localOrigin),
  })
  .refine(({ nlPort, origin }) => localOrigin.exec(origin)?.[2] === String(nlPort), {
    error: 'the origin is not the window’s',
    path: ['origin'],
  })
export type Handshake = z.infer<typeof handshakeSchema>

/**
 * The one line that the window's page writes to our stdin.
 * @throws AppError `bad_request`; the line itself is in no message, as it holds tokens.
 */
export function parseHandshake(line: string): Handshake {
  try {
    return handshakeSchema.parse(JSON.parse(line))
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : 'it is no JSON'
    throw new AppError('bad_request', `The window's handshake could not be read: ${why}`)
  }
}
