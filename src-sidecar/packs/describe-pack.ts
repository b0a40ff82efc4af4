import type { Pack, PackFinding } from '../contract/pack.ts'
import { asError } from '../errors/app-error.ts'
import type { PackContent } from './formats/parse-pack-json.ts'
import { fileOfPrompts, type OpenPack } from './load-pack.ts'
import { ownSettings, unusedSettings } from './own-settings.ts'
import { packJobs } from './pack-jobs.ts'
import { checkLoras } from './validate/check-loras.ts'
import { validatePack } from './validate/validate-pack.ts'

const maxFindings = 200
/** Beyond it the check would take seconds. */
const maxCheckedBytes = 8 * 2 ** 20

/** Everything that the pack's page shows: a page of its prompts, what it sets, what is wrong, how many jobs it makes. */
export function describePack(pack: OpenPack, offset: number, length: number, loras: readonly string[]): Pack {
  const { summary, content } = pack
  const findings = findingsOf(pack, loras)
  const counted = countOf(pack)
  if (typeof counted !== 'bigint' && !findings.some(({ severity }) => severity === 'error')) findings.unshift(counted)
  return {
    ...summary,
    prompts: content.prompts.slice(offset, offset + length),
    settings: ownSettings(content.settings),
    matrix: shownMatrix(content),
    findings: findings.toSorted((a, b) => rank(a) - rank(b)).slice(0, maxFindings),
    findingCount: findings.length,
    jobCount: typeof counted === 'bigint' ? String(counted) : null,
  }
}

const rank = ({ severity }: PackFinding): number => (severity === 'error' ? 0 : 1)

export function shownMatrix({ matrix }: PackContent): Pack['matrix'] {
  if (matrix === undefined) return null
  return {
    mode: matrix.mode,
    limit: matrix.limit,
    slots: matrix.slots.map(({ name, values }) => ({ name, values: [...values] })),
  }
}

/** @param loras that the backends list */
export function findingsOf({ files, content, wildcards }: OpenPack, loras: readonly string[]): PackFinding[] {
  const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0)
  if (bytes <= maxCheckedBytes || content.problem !== null)
    return [
      ...validatePack(files, wildcards),
      ...unused(files, content.settings),
      ...checkLoras(content.prompts, fileOfPrompts(files)?.name ?? '', loras),
    ]
  const size = Math.round(bytes / 2 ** 20)
  return [
    wholeFile('warning', files[0]!.name, `This pack has ${size} MB and is not checked.`, 'The preview shows what it makes.'),
  ]
}

function unused(files: OpenPack['files'], settings: PackContent['settings']): PackFinding[] {
  const names = unusedSettings(settings)
  const file = files.find(({ name }) => name.endsWith('.json'))?.name
  if (names.length === 0 || file === undefined) return []
  const some = `${names.slice(0, 12).join(', ')}${names.length > 12 ? `, and ${names.length - 12} more` : ''}`
  return [wholeFile('warning', file, `StableNew does not use these settings: ${some}.`, 'They stay in the file.')]
}

function countOf(pack: OpenPack): bigint | PackFinding {
  try {
    return packJobs(pack, { drawSeed: 0, sweeps: [] }).count
  } catch (error) {
    return wholeFile('error', pack.files[0]?.name ?? pack.summary.name, asError(error).message, '')
  }
}

const wholeFile = (severity: PackFinding['severity'], file: string, message: string, suggestion: string): PackFinding => ({
  severity,
  file,
  line: null,
  column: null,
  message,
  suggestion,
})
