import { z } from 'zod'
import type { SpawnedProcesses } from './spawned-processes.ts'

const callSchema = z.object({
  id: z.string(),
  method: z.string(),
  accessToken: z.string(),
  data: z
    .looseObject({
      id: z.number().optional(),
      code: z.number().optional(),
      command: z.string().optional(),
      event: z.string().optional(),
      data: z.unknown().optional(),
    })
    .nullish(),
})
type CallData = NonNullable<z.infer<typeof callSchema>['data']>
type Answer = { success: true; returnValue?: unknown } | { error: { code: string; message: string } }

export interface NativeCallsOptions {
  readonly token: string
  /** As in neutralino.config.json: names, or `part.*`. */
  readonly allowed: readonly string[]
  readonly hasTray: boolean
  readonly processes: SpawnedProcesses
  readonly connectedExtensions: () => string[]
  readonly broadcastToPages: (event: string, data: unknown) => void
  readonly exit: (code: number) => void
  /** Told of every call that was let in. */
  readonly onCall: (method: string, data: CallData) => void
}

const success = (returnValue?: unknown): Answer => ({ success: true, ...(returnValue === undefined ? {} : { returnValue }) })
const failure = (code: string, message: string): Answer => ({ error: { code, message } })

/** The native calls that StableNew makes, answered as Neutralino answers them. */
export class NativeCalls {
  readonly #options: NativeCallsOptions

  constructor(options: NativeCallsOptions) {
    this.#options = options
  }

  /** The answer's text; what is no call gets none. */
  async answer(text: string): Promise<string | undefined> {
    const { data: call } = callSchema.safeParse(parsed(text))
    if (!call) return undefined
    const { id, method } = call
    return JSON.stringify({ id, method, data: await this.#answer(call) })
  }

  async #answer({ method, accessToken, data }: z.infer<typeof callSchema>): Promise<Answer> {
    const { token, allowed, onCall } = this.#options
    if (accessToken !== token) return failure('NE_RT_INVTOKN', 'Invalid or expired native API access token')
    if (!allowed.includes(method) && !allowed.includes(`${method.split('.')[0]}.*`))
      return failure('NE_RT_NATPRME', `Missing permission to execute the native method: ${method}`)
    onCall(method, data ?? {})
    return await this.#run(method, data ?? {})
  }

  async #run(method: string, { id = -1, code = 0, command = '', event = '', data }: CallData): Promise<Answer> {
    const { processes, hasTray, connectedExtensions, broadcastToPages, exit } = this.#options
    switch (method) {
      case 'app.exit':
        exit(code)
        return success()
      case 'app.broadcast':
        broadcastToPages(event, data)
        return success()
      case 'extensions.getStats':
        return success({ loaded: connectedExtensions(), connected: connectedExtensions() })
      case 'os.setTray':
        return hasTray ? success() : failure('NE_OS_TRAYIER', 'Unable to initialize the tray menu')
      case 'os.spawnProcess':
        return success(await processes.spawn(command))
      case 'os.getSpawnedProcesses':
        return success(processes.list())
      case 'os.updateSpawnedProcess':
        return processes.update(id, event, String(data))
          ? success()
          : failure('NE_OS_UNLTOUP', `Unable to update process id: ${id}`)
      case 'window.show':
      case 'window.unminimize':
      case 'window.focus':
        return success()
      default:
        return failure('NE_RT_NATNTIM', `${method} is not implemented in the native API`)
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
