import { Command, CommanderError, Option } from 'commander'
import { appVersion } from '../config/version.ts'
import { containmentChoices } from '../contract/settings.ts'
import { shellKinds } from '../contract/status.ts'
import { type SelftestCommand, selftestOptions } from './selftest-options.ts'

const shellChoices = [...shellKinds, 'auto'] as const
export type ShellChoice = (typeof shellChoices)[number]

interface CommonOptions {
  readonly dataDir?: string
  readonly watchStdin: boolean
  /** Absent: as the settings say. */
  readonly containment?: (typeof containmentChoices)[number]
  readonly draftArgs: readonly string[]
  /** What becomes of the running image at the end; absent: as the settings say, and `cancel` for `run`. */
  readonly atExit?: 'finish' | 'cancel'
}

export interface ServeCommand extends CommonOptions {
  readonly kind: 'serve'
  readonly shell: ShellChoice
  /** Lines of JSON on stdout for the launcher or the shell, in place of text. */
  readonly hostLines: boolean
  /** Backends go on when the app closes, and the next start takes them over. */
  readonly serverMode: boolean
  /** Traces where everything that stays open was opened, and logs memory, handles and threads again and again; slow. */
  readonly diagnose: boolean
}

export interface RunCommand extends CommonOptions {
  readonly kind: 'run'
  readonly pack: string
  /** Empty with `dryRun`. */
  readonly out: string
  /** Absent: as the pack says. */
  readonly images?: number
  readonly seed?: number
  /** `name=value` each, unread. */
  readonly set: readonly string[]
  readonly sweep: readonly string[]
  readonly limit?: number
  readonly dryRun: boolean
  /** Id, name or kind of a backend of the settings; absent: all of them. */
  readonly backend?: string
  readonly json: boolean
  /** How long a folder that can't be written is waited for. */
  readonly diskWait: number
}

/** Starts, works and stops again and again in one process, for the selftest. */
export interface CyclesCommand {
  readonly kind: 'cycles'
  readonly cycles: number
  readonly serve: ServeCommand
}

/** `said`: everything was said on stdout or stderr already. */
export type ParsedCommand =
  | ServeCommand
  | RunCommand
  | SelftestCommand
  | CyclesCommand
  | { readonly kind: 'said'; readonly exitCode: number }

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '')

const all = (text: string, before: string[]): string[] => [...before, text]

function whole(name: string, min: number, max: number) {
  return (text: string): number => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    throw new CommanderError(2, 'stablenew.number', `error: ${name} takes a whole number from ${min} to ${max}, not "${text}"`)
  }
}

const withCommon = (command: Command): Command =>
  command
    .option('--data-dir <folder>', 'keep everything (settings, queue, images, logs) in this folder')
    .option('--watch-stdin', 'end when standard input ends', false)
    .addOption(new Option('--containment <level>', 'how backends are held').choices(containmentChoices))
    .addOption(new Option('--at-exit <what>', 'the running image at the end').choices(['finish', 'cancel']))
    .addOption(
      new Option('--draft-args <args>', 'further arguments of the draft engine, for tests')
        .argParser(words)
        .default([])
        .hideHelp(),
    )

/** Reads the command line. Never throws: help and errors are written, and come back as `said`. */
export function parseCommandLine(
  args: readonly string[],
  write: { out(text: string): void; error(text: string): void },
): ParsedCommand {
  let parsed: ParsedCommand = { kind: 'said', exitCode: 0 }
  const output = { writeOut: write.out, writeErr: write.error }
  const program = withCommon(new Command('stablenew'))
    .description('Stable Diffusion batches on your own machine. Without a command it opens the app.')
    .version(appVersion)
    .addOption(new Option('--shell <shell>', 'the window').choices(shellChoices).default('auto'))
    .option('--headless', 'the same as --shell none', false)
    .option('--server-mode', 'leave backends running at the end, for the next start', false)
    .option(
      '--diagnose',
      'log memory, handles and threads around each job and phase of the end, and where what is left came from (slow)',
      false,
    )
    .addOption(new Option('--host-lines', 'lines of JSON for a launcher on standard output').default(false).hideHelp())
    .action(({ headless, ...options }) => {
      parsed = { ...options, kind: 'serve', shell: headless ? 'none' : options.shell }
    })
  const run = program
    .command('run')
    .description('make the images of a PromptPack without a window')
    .argument('<pack>', 'a PromptPack (.txt, .tsv, .json)')
    .option('--out <folder>', 'where the images go')
    .option('--images <n>', 'images per job (default: as the pack says, else 1)', whole('--images', 1, 1000))
    .option(
      '--seed <n>',
      'first seed of every job; wildcards are drawn by it too (default: random)',
      whole('--seed', 0, 2 ** 32 - 1),
    )
    .option('--set <name=value>', 'a setting, as txt2img.steps=30; can be repeated', all, [])
    .option('--sweep <name=values>', 'every value in turn, as cfg_scale=4..9:1 or steps=20,30; can be repeated', all, [])
    .option('--limit <n>', 'only the first n jobs', whole('--limit', 1, 2 ** 53 - 1))
    .option('--backend <name>', 'only this backend of the settings (its name or id), or draft')
    .option(
      '--disk-wait <seconds>',
      'how long a full or missing folder is waited for before it gives up with exit code 74',
      whole('--disk-wait', 0, 1_000_000),
      60,
    )
    .option('--dry-run', 'print the jobs and make nothing', false)
    .option('--json', 'lines of JSON in place of text: what was made, or with --dry-run each job', false)
    .action((pack, options) => {
      if (options.out === undefined && !options.dryRun) run.error("error: required option '--out <folder>' not specified")
      parsed = { ...program.opts(), ...options, out: options.out ?? '', kind: 'run', pack }
    })
  const selftest = program
    .command('selftest')
    .description('prove on this machine that the app leaves nothing behind (the same as --selftest)')
    .action((options) => {
      parsed = { ...program.opts(), ...options, kind: 'selftest' }
    })
  for (const option of selftestOptions(whole, words)) selftest.addOption(option)
  const cycles = program.command('cycles <n>', { hidden: true }).action((n) => {
    parsed = { kind: 'cycles', cycles: whole('cycles', 1, 1000)(n), serve: { ...program.opts(), kind: 'serve', shell: 'none' } }
  })
  for (const command of [program, run, selftest, cycles])
    command.configureOutput(output).exitOverride().showHelpAfterError('(--help tells more)')
  for (const command of [run, selftest]) command.configureHelp({ showGlobalOptions: true })
  try {
    program.parse(
      args.map((arg) => (arg === '--selftest' ? 'selftest' : arg)),
      { from: 'user' },
    )
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'stablenew.number') write.error(`${error.message}\n`)
    return { kind: 'said', exitCode: error.exitCode === 0 ? 0 : 2 }
  }
  return parsed
}
