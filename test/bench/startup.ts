// npm run bench -- startup [--runs 25] [--package FOLDER]: the packaged sidecar beside a Node that does nothing, and beside its sources;
// sizes of what is downloaded, where `npm run package` has made it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machine } from '../helpers/bench-table.ts'
import { median, table } from './report.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { values } = parseArgs({ options: { runs: { type: 'string', default: '25' }, package: { type: 'string' } } })
const runs = Number(values.runs)
/** Until what was only needed for the start is given back. */
const idleAfterMs = 5000
/** Memory hardly differs between two runs, and takes its time. */
const memoryRuns = 5

const scratch = mkdtempSync(join(tmpdir(), 'stablenew-bench-'))

async function packageFolder(): Promise<string> {
  if (values.package !== undefined) return values.package
  const args = ['--folders', '--no-window', '--only', 'linux-x64', '--to', scratch]
  const script = join(root, 'scripts/package/package.ts')
  const made = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...args], { stdio: 'inherit' })
  const [code] = await once(made, 'exit')
  if (code !== 0) throw new Error(`the package could not be made: exit code ${code}`)
  return join(scratch, 'stablenew-linux-x64')
}

const rssBytes = ({ pid }: ChildProcess): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024

/** What a process has computed so far, by its main thread and by all: unlike its time, hardly more on a busy machine. */
function cpuMs({ pid }: ChildProcess): { main: number; all: number } {
  const ofThread = (id: string) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]) / 1e6
  const all = readdirSync(`/proc/${pid}/task`).reduce((sum, id) => sum + ofThread(id), 0)
  return { main: ofThread(String(pid)), all }
}

interface Started {
  readonly child: ChildProcess
  readonly said: string
  readonly ms: number
  readonly cpu: ReturnType<typeof cpuMs>
}

/** From the start of the process until it has said a line with `until`. */
async function started(node: string, args: readonly string[], until: string): Promise<Started> {
  const before = performance.now()
  const env = { ...process.env, DISPLAY: '', WAYLAND_DISPLAY: '' }
  const child = spawn(node, args, { stdio: ['pipe', 'pipe', 'inherit'], env })
  let said = ''
  const ms = await new Promise<number>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      said += chunk
      if (said.includes(until)) resolve(performance.now() - before)
    })
    child.once('exit', () => reject(new Error(`it ended early: ${said}`)))
  })
  return { child, said, ms, cpu: cpuMs(child) }
}

/** Until the API has answered for the first time: it waits for all components. */
async function answered(said: string): Promise<void> {
  const line = said.split('\n').find((one) => one.includes('"ready"')) ?? ''
  const { url, token } = JSON.parse(line) as { url: string; token: string }
  const { ok } = await fetch(new URL('/api/status', url), { headers: { authorization: `Bearer ${token}` } })
  if (!ok) throw new Error('the status could not be had')
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.stdin?.end()
  await exit
}

interface Way {
  readonly what: string
  readonly line: readonly string[]
  readonly until: string
  readonly startMs: number[]
  readonly answerMs: number[]
  readonly mainMs: number[]
  readonly cpuMs: number[]
  readonly rss: number[]
}

const folder = await packageFolder()
const node = join(folder, 'runtime/node')
const sidecar = (name: string, program: string): Way => ({
  what: name,
  line: [program, '--shell', 'none', '--host-lines', '--watch-stdin', '--data-dir', join(scratch, name)],
  until: '"ready"',
  startMs: [],
  answerMs: [],
  mainMs: [],
  cpuMs: [],
  rss: [],
})
const idle = 'process.stdin.resume(); process.stdin.on("end", () => process.exit()); console.log("ready")'
const bare: Way = {
  what: 'bare Node',
  line: ['-e', idle],
  until: 'ready',
  startMs: [],
  answerMs: [],
  mainMs: [],
  cpuMs: [],
  rss: [],
}
const packaged = sidecar('packaged sidecar', join(folder, 'sidecar/main.js'))
const sources = sidecar('sidecar from its sources', join(root, 'src-sidecar/main.ts'))

try {
  /** `node -e 0`, to its end. */
  const bareMs: number[] = []
  let firstMs = 0
  // The first of each fills its caches.
  for (let run = 0; run <= runs; run++) {
    const before = performance.now()
    await once(spawn(node, ['-e', '0'], { stdio: 'ignore' }), 'exit')
    if (run > 0) bareMs.push(performance.now() - before)
    for (const way of [bare, packaged, sources]) {
      const quiet = way === sources ? ['--disable-warning=ExperimentalWarning'] : []
      const began = performance.now()
      const { child, said, ms, cpu } = await started(node, [...quiet, ...way.line], way.until)
      if (way === packaged) await answered(said)
      const answerMs = performance.now() - began
      if (run === 0 && way === packaged) firstMs = ms
      if (run > 0) {
        way.startMs.push(ms)
        way.answerMs.push(answerMs)
        way.mainMs.push(cpu.main)
        way.cpuMs.push(cpu.all)
      }
      if (run > 0 && run <= memoryRuns) {
        await delay(idleAfterMs)
        way.rss.push(rssBytes(child))
      }
      await ended(child)
    }
  }
  const floorMs = median(bareMs)
  const floorRss = median(bare.rss)
  const time = (what: string, ms: number, target = '') => [what, `${ms.toFixed(0)} ms`, `${(ms / floorMs).toFixed(1)}×`, target]
  const computed = (what: string, ms: number[], floor: number[]) => {
    return [what, `${median(ms).toFixed(0)} ms`, `${(median(ms) / median(floor)).toFixed(1)}×`, '']
  }
  const memory = ({ what, rss }: Way, target = '') => {
    const bytes = median(rss)
    return [`${what}: idle`, `${(bytes / 2 ** 20).toFixed(0)} MB`, `${(bytes / floorRss).toFixed(2)}×`, target]
  }
  const rows = [
    time('node -e 0', floorMs),
    time(`${packaged.what}: ready, first start`, firstMs),
    time(`${packaged.what}: ready`, median(packaged.startMs), '5×'),
    time(`${packaged.what}: its API answers`, median(packaged.answerMs)),
    time(`${sources.what}: ready`, median(sources.startMs)),
    ...[bare, packaged].flatMap((way) => [
      computed(`${way.what}: computed until ready, main thread`, way.mainMs, bare.mainMs),
      computed(`${way.what}: computed until ready, all threads`, way.cpuMs, bare.cpuMs),
    ]),
    memory(bare),
    memory(packaged, '2×'),
    memory(sources),
    ...downloads(),
  ]
  console.log(`${machine()}\nMedians of ${runs} runs, in turn, of memory of ${memoryRuns}.\n`)
  console.log(table(['what', 'figure', 'beside bare Node', 'target'], rows))
} finally {
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

function downloads(): string[][] {
  const size = (path: string) => `${(statSync(path).size / 1e6).toFixed(1)} MB`
  const wanted = [
    ['stablenew-linux-x64.tar.xz', '45 MB'],
    ['stablenew-linux-x64.deb', '45 MB'],
    ['stablenew-win-x64.zip', '50 MB'],
  ] as const
  const made = wanted.flatMap(([name, target]) => {
    const path = join(root, 'dist', name)
    return existsSync(path) ? [[name, size(path), '', target]] : [[name, 'not made: npm run package', '', target]]
  })
  const largest = readdirSync(join(folder, 'sidecar')).filter((name) => name.endsWith('.js'))
  const code = largest.reduce((sum, name) => sum + statSync(join(folder, 'sidecar', name)).size, 0)
  return [...made, ['of it Node', size(node), '', ''], ['of it our code, bundled', `${(code / 1e6).toFixed(1)} MB`, '', '']]
}
