import type { SourceFacts } from './source-facts.ts'

/**
 * The layers of `src-sidecar`, lowest first. A part imports itself and every layer before its own, nothing of its own
 * layer or of a later one, save what `neighbours` allows. A part is a folder, or a file at the top.
 */
export const layers: readonly (readonly string[])[] = [
  ['contract', 'errors'],
  ['lifecycle', 'logging', 'config'],
  ['store', 'processes'],
  ['backends'],
  ['packs', 'jobs', 'history', 'learning', 'diagnostics'],
  ['api', 'shell', 'selftest'],
  ['cli', 'core', 'compose', 'app'],
  ['cycles'],
  ['main'],
  ['packaged'],
]

/** Parts of one layer that may know each other, and why. */
export const neighbours: readonly { from: string; to: string; why: string }[] = [
  { from: 'errors', to: 'contract', why: 'an AppError carries one of the codes of the contract' },
  { from: 'learning', to: 'packs', why: 'the prompts of an experiment are those of a pack' },
  { from: 'learning', to: 'jobs', why: 'the jobs of an experiment are ordinary ones of the queue' },
  { from: 'core', to: 'compose', why: 'parts of the composition root' },
  { from: 'compose', to: 'core', why: 'parts of the composition root' },
  { from: 'compose', to: 'cli', why: 'what was asked for on the command line, and whom to tell' },
  { from: 'app', to: 'cli', why: 'what was asked for on the command line, and whom to tell' },
  { from: 'app', to: 'core', why: 'parts of the composition root' },
  { from: 'app', to: 'compose', why: 'parts of the composition root' },
]

/** Packages that reach out of our own code, and who may. Type imports count too. */
export const packages: readonly { names: readonly string[]; only: readonly RegExp[] }[] = [
  { names: ['better-sqlite3'], only: [/^src-sidecar\/store\//] },
  {
    names: ['child_process', 'execa', 'tree-kill', 'koffi', 'cluster'],
    only: [
      /^src-sidecar\/processes\//,
      /^src-sidecar\/backends\/draft-engine\/(workers|draft-worker|misbehaviour)\.ts$/,
      // Stands in for Neutralino, which contains nothing.
      /^src-sidecar\/selftest\/spawned-processes\.ts$/,
    ],
  },
  { names: ['@neutralinojs/lib'], only: [/^src-ui\/shell\//] },
]

/** Programs of their own, with a process of their own. */
const programs = [/^src-sidecar\/processes\/shim\.[a-z0-9]+\.ts$/, /^src-sidecar\/processes\/shim-core\.ts$/]
const draftEngine = /^src-sidecar\/backends\/draft-engine\//

export const environmentReaders = [/^src-sidecar\/config\//, ...programs, draftEngine]
export const exitCallers = [
  /^src-sidecar\/main\.ts$/,
  ...programs,
  /^src-sidecar\/backends\/draft-engine\/(main|misbehaviour)\.ts$/,
  /^src-sidecar\/selftest\/(neutralino-stand-in|witness)\.ts$/,
]

/** What of `src-sidecar` the UI may import. */
const uiMayImport = /^src-sidecar\/contract\//

export const maxLines = 400
export const manyLines = 200

/** `src-sidecar/jobs/queue.ts` → `jobs`, `src-sidecar/compose-app.ts` → `compose`. */
export function partOf(path: string): string | null {
  const [top, first, second] = path.split('/')
  if (top !== 'src-sidecar' || first === undefined) return null
  return second === undefined ? first.replace(/\.ts$/, '').replace(/^compose-.*/, 'compose') : first
}

const layerOf = (part: string): number => layers.findIndex((layer) => layer.includes(part))
const isOneOf = (patterns: readonly RegExp[], path: string): boolean => patterns.some((pattern) => pattern.test(path))

/** Every breach of the rules, as a sentence. */
export function violations(files: readonly SourceFacts[]): string[] {
  return files.flatMap((file) => [
    ...file.imports.flatMap((target) => importProblem(file.path, target) ?? []),
    ...(file.readsEnvironment && !isOneOf(environmentReaders, file.path)
      ? [`${file.path} reads process.env; only config does, and hands on what is needed`]
      : []),
    ...(file.endsProcess && !isOneOf(exitCallers, file.path) ? [`${file.path} calls process.exit; only main.ts does`] : []),
    ...(file.lines > maxLines ? [`${file.path} has ${file.lines} lines; ${maxLines} is the most`] : []),
  ])
}

function importProblem(from: string, to: string): string | null {
  const rule = packages.find(({ names }) => names.includes(to))
  if (rule !== undefined && !isOneOf(rule.only, from)) return `${from} imports ${to}; only ${rule.only.join(', ')} may`
  if (from.startsWith('src-ui/'))
    return to.startsWith('src-sidecar/') && !uiMayImport.test(to)
      ? `${from} imports ${to}; of src-sidecar the UI imports only contract`
      : null
  if (to.startsWith('src-ui/')) return `${from} imports ${to}; the sidecar knows nothing of the UI`
  if (draftEngine.test(from) && to.startsWith('src-sidecar/') && !draftEngine.test(to))
    return `${from} imports ${to}; the draft engine is a program of its own`
  if (draftEngine.test(to) && !draftEngine.test(from))
    return `${from} imports ${to}; the draft engine is spoken to over HTTP only`
  return layerProblem(from, to)
}

function layerProblem(from: string, to: string): string | null {
  const [importer, imported] = [partOf(from), partOf(to)]
  if (importer === null || imported === null || importer === imported) return null
  const [own, other] = [layerOf(importer), layerOf(imported)]
  if (own === -1) return `${from} is in no layer`
  if (other === -1) return `${from} imports ${to}, which is in no layer`
  if (other < own || neighbours.some((one) => one.from === importer && one.to === imported)) return null
  return other === own
    ? `${from} imports ${to}: ${importer} and ${imported} are of one layer`
    : `${from} imports ${to}: ${imported} is above ${importer}`
}

/** Circles of imports that are left at run time, each as its files in order; a circle is told once. */
export function circles(files: readonly SourceFacts[]): string[][] {
  const imports = new Map(files.map((file) => [file.path, file.runtimeImports]))
  const done = new Set<string>()
  const found: string[][] = []
  const walk = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path)
    if (at !== -1) {
      found.push([...trail.slice(at), path])
      return
    }
    if (done.has(path)) return
    for (const next of imports.get(path) ?? []) if (imports.has(next)) walk(next, [...trail, path])
    done.add(path)
  }
  for (const { path } of files) walk(path, [])
  return found
}
