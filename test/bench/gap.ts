// npm run bench gap: how long the backend has nothing to do between two images, from the last byte it sent to the next
// request, beside a plain client that posts, decodes, saves, posts.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machine, percentile } from '../helpers/bench-table.ts'
import { launchSidecar, queueDone } from '../helpers/launched-sidecar.ts'

const engineProgram = fileURLToPath(new URL('../../src-sidecar/backends/draft-engine/main.ts', import.meta.url))
const probe = new URL('./gap-probe.ts', import.meta.url).href
const size = { width: 512, height: 512, steps: 2 }
const packSize = 6

/** A draft engine that tells its gaps. */
async function engine(): Promise<{ url: string; gaps: number[]; end(): Promise<void> }> {
  const args = ['--disable-warning=ExperimentalWarning', '--import', probe, engineProgram, '--step-ms', '10', '--watch-stdin']
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const gaps: number[] = []
  const listening = Promise.withResolvers<number>()
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const { port, gapMs } = JSON.parse(line) as { port?: number; gapMs?: number }
    if (port) listening.resolve(port)
    if (gapMs !== undefined) gaps.push(gapMs)
  })
  const url = `http://127.0.0.1:${await listening.promise}`
  const end = async () => {
    const ended = once(child, 'exit')
    child.stdin?.end()
    await ended
  }
  return { url, gaps, end }
}

/** What a script of twenty lines does. */
async function plainClient(images: number, folder: string): Promise<number[]> {
  const { url, gaps, end } = await engine()
  for (let image = 0; image < images; image++) {
    const body = JSON.stringify({ prompt: 'a lighthouse', ...size, seed: image, sampler_name: 'Euler a' })
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
    const answer = (await (await fetch(`${url}/sdapi/v1/txt2img`, init)).json()) as { images: string[] }
    await writeFile(join(folder, `${image}.png`), Buffer.from(answer.images[0]!, 'base64'))
  }
  await end()
  return gaps
}

async function stableNew(jobs: number, imagesEach: number, dataDir: string): Promise<number[]> {
  const { url, gaps, end } = await engine()
  const sidecar = await launchSidecar({ dataDir })
  const settings = await sidecar.get<object>('/api/settings')
  const body = JSON.stringify({ ...settings, backends: [{ id: 'one', kind: 'sdapi', url }] })
  await sidecar.request('/api/settings', { method: 'PUT', body })
  await sidecar.post('/api/queue/pause')
  for (let queued = 0; queued < jobs; queued += packSize)
    await sidecar.queue('example/tiny worlds.txt', { images: imagesEach, settings: size })
  await sidecar.post('/api/queue/resume')
  await queueDone(sidecar, 600_000)
  await sidecar.post('/api/shutdown', { trigger: 'exit-button' })
  await sidecar.ended
  await end()
  return gaps
}

const { values } = parseArgs({ options: { images: { type: 'string', default: '300' } } })
const images = Math.ceil(Number(values.images) / packSize) * packSize
const folder = mkdtempSync(join(tmpdir(), 'stablenew-bench-'))
try {
  console.log(machine())
  const rows = [
    ['plain client: post, decode, save, post', await plainClient(images, folder)],
    ['StableNew: jobs of one image', await stableNew(images, 1, join(folder, 'jobs'))],
    ['StableNew: six jobs of many images', await stableNew(packSize, images / packSize, join(folder, 'images'))],
  ] as const
  const floor = percentile(rows[0][1], 0.5)
  console.log(`${'gap between two images'.padEnd(42)}    n   p50 ms   p99 ms   max ms   p50 / plain`)
  for (const [what, gaps] of rows) {
    const [p50, p99, max] = [0.5, 0.99, 1].map((part) => percentile(gaps, part)) as [number, number, number]
    const figures = [p50, p99, max].map((ms) => ms.toFixed(1).padStart(8)).join(' ')
    console.log(`${what.padEnd(42)} ${String(gaps.length).padStart(4)} ${figures}   ${(p50 / floor).toFixed(2)}×`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}
