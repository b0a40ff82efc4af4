import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { projectFolder } from '../../helpers/sidecar.ts'
import { liveDescendants, signalSame } from '../../helpers/survivors.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { waitFor } from '../../helpers/wait-for.ts'

// A program in npm's place: it takes its time, and says when it finds another one at work.
const npm = `
import { existsSync, appendFileSync, mkdirSync, rmSync, writeFileSync, copyFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
appendFileSync('npm.log', existsSync('npm-at-work') ? 'two at once\\n' : process.argv.slice(2, 3) + '\\n')
writeFileSync('npm-at-work', '')
process.on('exit', () => rmSync('npm-at-work', { force: true }))
process.on('SIGTERM', () => process.exit(143))
await setTimeout(Number(process.env.NPM_MS ?? 0))
if (process.env.NPM_FAILS) process.exit(7)
mkdirSync('node_modules', { recursive: true })
copyFileSync('package-lock.json', 'node_modules/.package-lock.json')
`

describe.skipIf(process.platform === 'win32')('set-up', () => {
  let folder: string
  beforeEach(() => {
    folder = tempDir('setup')
    cpSync(join(projectFolder, 'scripts'), join(folder, 'scripts'), { recursive: true })
    mkdirSync(join(folder, 'src-sidecar'))
    writeFileSync(join(folder, 'src-sidecar/main.ts'), `const word: string = 'the sidecar'; console.log(word)`)
    writeFileSync(join(folder, 'package-lock.json'), lock('1.0.0'))
    writeFileSync(join(folder, 'npm-cli.js'), npm)
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  })

  const lock = (version: string) => JSON.stringify({ packages: { '': {}, 'node_modules/one': { version, integrity: version } } })
  const npmRuns = () =>
    existsSync(join(folder, 'npm.log')) ? readFileSync(join(folder, 'npm.log'), 'utf8').trim().split('\n') : []
  const start = (env: Record<string, string> = {}): ChildProcess =>
    spawn(process.execPath, [join(folder, 'scripts/stablenew.mjs'), '--help'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        npm_execpath: join(folder, 'npm-cli.js'),
        npm_node_execpath: process.execPath,
        ...env,
      },
    })
  async function run(env?: Record<string, string>): Promise<{ code: number | null; out: string; err: string }> {
    const child = start(env)
    let out = ''
    let err = ''
    child.stdout?.on('data', (chunk) => (out += chunk))
    child.stderr?.on('data', (chunk) => (err += chunk))
    await once(child, 'close')
    return { code: child.exitCode, out, err }
  }
  const npmAtWork = () => waitFor(() => existsSync(join(folder, 'npm-at-work')), 'npm at work')
  const npmProcesses = () =>
    liveDescendants().filter(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('npm-cli.js'))

  test('installs once, and again when the lock file has changed; standard output is the program’s alone', async () => {
    expect(await run()).toMatchObject({ code: 0, out: 'the sidecar\n' })
    expect(await run()).toEqual({ code: 0, out: 'the sidecar\n', err: '' })
    expect(npmRuns()).toEqual(['ci'])
    writeFileSync(join(folder, 'package-lock.json'), lock('1.0.1'))
    expect(await run()).toMatchObject({ code: 0 })
    expect(npmRuns()).toEqual(['ci', 'ci'])
  })

  test('says in one line that npm failed, starts nothing, and tries again next time', async () => {
    const { code, out, err } = await run({ NPM_FAILS: '1' })
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err.trim().split('\n').at(-1)).toMatch(/^npm ci failed .* then start again\.$/)
    expect(await run()).toMatchObject({ code: 0 })
  })

  test('two at once install one after the other', async () => {
    const [first, second] = await Promise.all([run({ NPM_MS: '1000' }), run({ NPM_MS: '1000' })])
    expect([first.code, second.code]).toEqual([0, 0])
    expect(npmRuns()).toEqual(['ci'])
  })

  test.skipIf(process.platform !== 'linux').for(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const)(
    '%s ends npm too, and the next start installs again',
    async (signal) => {
      const child = start({ NPM_MS: '60000' })
      await npmAtWork()
      expect(npmProcesses()).toHaveLength(1)
      child.kill(signal)
      await waitFor(() => npmProcesses().length === 0, 'the end of npm')
      await waitFor(() => child.exitCode !== null || child.signalCode !== null, 'the end of the set-up')
      if (signal !== 'SIGKILL') expect(child.exitCode).toBe({ SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal])
      rmSync(join(folder, 'npm-at-work'), { force: true })
      expect(await run()).toMatchObject({ code: 0, out: 'the sidecar\n' })
      expect(npmRuns()).toEqual(['ci', 'ci'])
    },
  )

  test.skipIf(process.platform !== 'linux')('ends with its parent', async () => {
    const parent = spawn('sh', ['-c', `"${process.execPath}" scripts/stablenew.mjs --help; true`], {
      cwd: folder,
      stdio: 'ignore',
      env: {
        ...process.env,
        npm_execpath: join(folder, 'npm-cli.js'),
        npm_node_execpath: process.execPath,
        NPM_MS: '60000',
      },
    })
    await npmAtWork()
    const all = liveDescendants()
    parent.kill('SIGKILL')
    const below = all.filter(({ pid }) => pid !== parent.pid)
    await waitFor(() => npmProcesses().length === 0, 'the end of npm').finally(() =>
      below.forEach((one) => void signalSame(one, 'SIGKILL')),
    )
  })
})
