import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { SelftestCommand } from './cli/selftest-options.ts'
import { platformFolders } from './config/environment.ts'
import { foldersFor } from './config/folders.ts'
import { SettingsFile } from './config/settings-file.ts'
import type { SelftestRun } from './contract/selftest.ts'
import { defaultSettings, type Settings, settingsSchema } from './contract/settings.ts'
import { AppError } from './errors/app-error.ts'
import { allScenarios, planRuns } from './selftest/plan-runs.ts'
import { runSelftest } from './selftest/selftest.ts'
import { SelftestView, type ViewOutput } from './selftest/selftest-view.ts'

/**
 * `stablenew --selftest`: the app proves on this machine that it leaves nothing.
 * @returns 0 all passed, 1 something failed
 * @throws AppError `bad_request` for a scenario or a backend that there is not
 */
export async function selftest(
  command: SelftestCommand,
  program: string,
  output: ViewOutput,
  abort: AbortSignal,
): Promise<number> {
  if (command.list) {
    for (const { id, title, proves } of allScenarios) output.out(`${id.padEnd(4)}${title.padEnd(62)}${proves}\n`)
    return 0
  }
  const unknown = command.scenario.find((id) => !allScenarios.some((scenario) => scenario.id === id))
  if (unknown !== undefined) throw new AppError('bad_request', `There is no scenario ${unknown}; --list tells which there are.`)

  const { repeat, watch: watchS, close, faults, scenario: only, cycles, backend, nodeFlags, json, hostLines } = command
  const options = { repeat, watchS, close, faults, only, cycles }
  const folders = foldersFor(platformFolders(), command.dataDir)
  const settings = await settingsFor(command, folders.config)
  const silent = json || hostLines
  const view = new SelftestView({ ...output, out: silent ? () => {} : output.out })
  view.begin(planRuns(options).length, watchS)
  let told: readonly SelftestRun[] = []
  const onRun = (runs: readonly SelftestRun[]) => {
    // Whoever reads the lines has a limit for each: one for each run that changed, and the steps of its end in the report alone.
    for (const [index, run] of hostLines ? runs.entries() : [])
      if (run !== told[index]) output.out(`${JSON.stringify({ stablenew: 'selftest-run', index, run: withoutSteps(run) })}\n`)
    told = [...runs]
    view.tell(runs)
  }
  const report = await runSelftest(
    { ...options, program, nodeFlags, draftArgs: command.draftArgs.join(' '), backend, settings, onRun },
    abort,
  )
  const text = `${JSON.stringify(report, undefined, 2)}\n`
  const file = resolve(command.report ?? join(folders.log, 'selftest-report.json'))
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(file, text)
  if (json) output.out(text)
  if (hostLines) output.out(`${JSON.stringify({ stablenew: 'selftest-report', file })}\n`)
  view.end(report, file)
  return report.verdict === 'passed' ? 0 : 1
}

const withoutSteps = (run: SelftestRun): SelftestRun => ({ ...run, result: run.result && { ...run.result, steps: [] } })

const allowed = '--backend takes draft, settings (all of them), the name of one of them, or a URL (http://127.0.0.1:7860).'

async function settingsFor({ backend }: SelftestCommand, configFolder: string): Promise<Settings | null> {
  if (backend === 'draft') return null
  if (!backend.includes('://')) {
    const file = new SettingsFile(configFolder)
    const broken = await file.load(Date.now())
    if (broken !== null) throw new AppError('bad_request', broken)
    if (backend === 'settings') return file.current
    const named = file.current.backends.filter(({ id, name }) => id === backend || name === backend)
    if (named.length > 0) return { ...file.current, backends: named.map((one) => ({ ...one, enabled: true })) }
    const known = file.current.backends.map(({ id, name }) => name || id).join(', ')
    throw new AppError('bad_request', `There is no backend "${backend}" in the settings, but ${known}. ${allowed}`)
  }
  const settings = settingsSchema.safeParse({ ...defaultSettings, backends: [{ id: 'given', kind: 'sdapi', url: backend }] })
  if (!settings.success) throw new AppError('bad_request', `"${backend}" is no address of a server. ${allowed}`)
  return settings.data
}
