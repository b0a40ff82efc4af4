import { parseArgs } from 'node:util'

/** What the command line asks for. Times in milliseconds. */
export interface Settings {
  port: number
  host: string
  stepMs: number
  startupMs: number
  workers: number
  ignoreTerm: boolean
  watchStdin: boolean
  /** Below a shell, which is below a launcher. */
  behindShell: boolean
  /** Leaves a process that nobody is the parent of. */
  daemon: boolean
  /** Crashes when so much of an image is done, 0 to 1. */
  crashAt: number | null
  /** Stands still for ever when so much of an image is done, 0 to 1: it answers, and takes no interrupt. */
  stopAt: number | null
  requestLog: string | null
  /** Memory that it loses on purpose, in KB a second. */
  leakKbPerS: number
}

export type ParsedArguments =
  | { kind: 'run'; settings: Settings }
  | { kind: 'help'; text: string }
  | { kind: 'bad'; message: string }

const helpText = `StableNew draft engine: an image backend without a model, speaking AUTOMATIC1111's /sdapi/v1.

  --port N           port to listen on; 0 takes any free one (default 0)
  --host ADDRESS     address to listen on (default 127.0.0.1)
  --step-ms N        duration of a sampling step (default 40)
  --startup-ms N     delay before it listens (default 0)
  --workers N        starts a chain of N idle worker processes (default 0)
  --ignore-term      ignores SIGTERM and SIGINT, in the workers too
  --watch-stdin      ends when its standard input does
  --behind-shell     runs below a shell below a launcher
  --daemon           leaves a process in a session of its own
  --crash-at N       crashes at N percent of an image
  --stop-at N        stands still at N percent of an image, and takes no interrupt
  --request-log FILE appends one JSON line per request
  --leak-kb-per-s N  holds N KB more memory every second (default 0)
  --help             this text
`

const options = {
  port: { type: 'string', default: '0' },
  host: { type: 'string', default: '127.0.0.1' },
  'step-ms': { type: 'string', default: '40' },
  'startup-ms': { type: 'string', default: '0' },
  workers: { type: 'string', default: '0' },
  'ignore-term': { type: 'boolean', default: false },
  'watch-stdin': { type: 'boolean', default: false },
  'behind-shell': { type: 'boolean', default: false },
  daemon: { type: 'boolean', default: false },
  'crash-at': { type: 'string' },
  'stop-at': { type: 'string' },
  'request-log': { type: 'string' },
  'leak-kb-per-s': { type: 'string', default: '0' },
  help: { type: 'boolean', default: false },
} as const

/** Reads the command line; never throws: what is wrong comes back as one line. */
export function parseArguments(args: string[]): ParsedArguments {
  try {
    const { values } = parseArgs({ args, options, strict: true, allowPositionals: false })
    if (values.help) return { kind: 'help', text: helpText }
    if (values.host === '') throw new Error('--host must not be empty')
    if (values['request-log'] === '') throw new Error('--request-log must name a file')
    return {
      kind: 'run',
      settings: {
        port: wholeNumber('--port', values.port, 65_535),
        host: values.host,
        stepMs: wholeNumber('--step-ms', values['step-ms'], 600_000),
        startupMs: wholeNumber('--startup-ms', values['startup-ms'], 600_000),
        workers: wholeNumber('--workers', values.workers, 32),
        ignoreTerm: values['ignore-term'],
        watchStdin: values['watch-stdin'],
        behindShell: values['behind-shell'],
        daemon: values.daemon,
        crashAt: share('--crash-at', values['crash-at']),
        stopAt: share('--stop-at', values['stop-at']),
        requestLog: values['request-log'] ?? null,
        leakKbPerS: wholeNumber('--leak-kb-per-s', values['leak-kb-per-s'], 1_000_000),
      },
    }
  } catch (error) {
    const firstLine = error instanceof Error ? error.message.split('\n')[0] : String(error)
    return { kind: 'bad', message: `draft engine: ${firstLine}` }
  }
}

const share = (name: string, percent: string | undefined): number | null =>
  percent === undefined ? null : wholeNumber(name, percent, 100) / 100

function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > max) throw new Error(`${name} must be a whole number from 0 to ${max}, not '${text}'`)
  return value
}
