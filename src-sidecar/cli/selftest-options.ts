import { Option } from 'commander'
import { type CloseName, closeNames } from '../contract/selftest.ts'

export interface SelftestCommand {
  readonly kind: 'selftest'
  readonly repeat: number
  readonly watch: number
  readonly close: CloseName | 'rotate' | 'each'
  readonly faults: boolean
  readonly scenario: readonly string[]
  readonly cycles: number
  /** `draft`, `settings` or a URL. */
  readonly backend: string
  readonly list: boolean
  readonly json: boolean
  readonly report?: string
  readonly nodeFlags: readonly string[]
  readonly draftArgs: readonly string[]
  readonly dataDir?: string
  /** A line of JSON for each change, for the app that shows it. */
  readonly hostLines: boolean
}

/** The options behind `--selftest`; `number` and `words` read what they take. */
export function selftestOptions(
  number: (name: string, min: number, max: number) => (text: string) => number,
  words: (text: string) => string[],
): Option[] {
  const collect = (text: string, before: readonly string[]): string[] => [...before, ...text.split(',').filter(Boolean)]
  return [
    new Option('--repeat <n>', 'how often each scenario is run').argParser(number('--repeat', 1, 1000)).default(3),
    new Option('--watch <s>', 'seconds to watch after each end').argParser(number('--watch', 0, 3600)).default(60),
    new Option('--close <how>', 'how each is closed').choices([...closeNames, 'rotate', 'each']).default('rotate'),
    new Option('--scenario <ids>', 'only these, T4,T6').argParser(collect).default([]),
    new Option('--faults', 'with faults of backends, machine and app too').default(false),
    new Option('--cycles <n>', 'cycles in one process; 0 leaves them out').argParser(number('--cycles', 0, 1000)).default(12),
    new Option('--backend <which>', 'draft, settings (those of your settings), the name of one of them, or a URL').default(
      'draft',
    ),
    new Option('--list', 'list the scenarios').default(false),
    new Option('--json', 'the report on standard output, and nothing else').default(false),
    new Option('--report <file>', 'where the report goes (default: the log folder)'),
    new Option('--node-flags <flags>', 'further flags for Node, for tests').argParser(words).default([]).hideHelp(),
  ]
}
