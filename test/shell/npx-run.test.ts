import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { projectFolder } from '../helpers/sidecar.ts'
import { commandLine, type LiveProcess, liveDescendants, signalSame, stillRuns } from '../helpers/survivors.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

describe.skipIf(process.platform !== 'linux')('npx stablenew', () => {
  const cache = tempDir('npm-cache')

  function npx(...args: string[]) {
    const before = liveDescendants()
    // No registry: npx must find the project's own program.
    const env = { ...process.env, npm_config_cache: cache, npm_config_offline: 'true' }
    const child = spawn('npx', ['stablenew', ...args], { cwd: projectFolder, stdio: ['ignore', 'pipe', 'pipe'], env })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    const ended = once(child, 'exit').then(([code, signal]): number | string => code ?? signal)
    const own = () =>
      liveDescendants().filter((one) => !before.some(({ pid, startTime }) => pid === one.pid && startTime === one.startTime))
    return { child, ended, own, output: () => output }
  }

  test('--help tells what there is, with exit code 0', async () => {
    const { ended, output } = npx('--help')
    expect(await ended).toBe(0)
    expect(output()).toContain('Usage: stablenew')
  })

  async function runningPack() {
    const out = tempDir('out')
    const run = npx(
      'run',
      'resources/packs/landscapes.txt',
      '--out',
      out,
      '--data-dir',
      tempDir('data'),
      '--draft-args',
      '--step-ms 100',
    )
    await waitFor(() => existsSync(out) && readdirSync(out).length > 0, 'the first image', { ms: 30_000 }).catch((error) => {
      throw new Error(`${error.message}: ${run.output()}`)
    })
    const all = run.own()
    onTestFinished(() => all.forEach((one) => void signalSame(one, 'SIGKILL')))
    const script = all.find(({ pid }) => /node \S*stablenew run/.test(commandLine(pid)))
    const allGone = () => waitFor(() => all.every((one) => !stillRuns(one)), 'the end of all that npx started', { ms: 10_000 })
    return { ...run, script: script as LiveProcess, allGone }
  }

  test.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s to a run ends it with %i', async ([signal, code]) => {
    const { ended, script, allGone } = await runningPack()
    signalSame(script, signal)
    expect(await ended).toBe(code)
    await allGone()
  })

  test.for(['SIGTERM', 'SIGKILL'] as const)('%s to npx ends the run', async (signal) => {
    const { child, allGone } = await runningPack()
    child.kill(signal)
    await allGone()
  })

  test('SIGKILL of the script ends the run', async () => {
    const { script, allGone } = await runningPack()
    signalSame(script, 'SIGKILL')
    await allGone()
  })
})
