import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { expect } from 'vitest'
import { waitFor } from '../../../helpers/wait-for.ts'

const program = fileURLToPath(new URL('../../../../src-sidecar/backends/draft-engine/main.ts', import.meta.url))
const started: Running[] = []

/** A running engine. */
export interface Running {
  child: ChildProcess
  workers: number[]
  url: string
}

export interface Answer {
  status: number
  body: Record<string, unknown>
}

/** An answer to txt2img or img2img, its `info` read. */
export interface Generated {
  images: string[]
  info: Record<string, unknown> & { all_seeds: number[]; infotexts: string[] }
  parameters: Record<string, unknown>
}

/** Starts an engine and waits for its line; `endAll` ends it. */
export async function start(...args: string[]): Promise<Running> {
  const engine = await launch(...args)
  started.push(engine)
  return engine
}

/** Starts an engine and does not wait for its line; `endAll` ends it. */
export function startUnready(...args: string[]): Running {
  const engine = { child: spawnEngine(args), workers: [], url: '' }
  started.push(engine)
  return engine
}

function spawnEngine(args: string[]): ChildProcess {
  return spawn(process.execPath, [program, '--port', '0', ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
}

/** The same for an engine that several tests share: it is ended by `end` only. */
export async function launch(...args: string[]): Promise<Running> {
  const child = spawnEngine(args)
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string]
  const { event, port, pid, workers = [] } = JSON.parse(line)
  expect([event, pid]).toEqual(['listening', child.pid])
  return { child, url: `http://127.0.0.1:${port}`, workers }
}

/** Kills what `start` and `outcome` started and still runs, workers that outlived their engine too. For `afterEach`. */
export async function endAll(): Promise<void> {
  await Promise.all(started.splice(0).map(end))
}

/** Kills one engine by its handle, its workers by their ids. */
export async function end({ child, workers }: Running): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  for (const pid of workers) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
}

export async function exitOf({ child }: Running): Promise<{ code: number | null; signal: string | null }> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return { code: child.exitCode, signal: child.signalCode }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  // A zombie answers signals, but holds nothing.
  return process.platform !== 'linux' || !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
}

export async function get({ url }: Running, path: string): Promise<Answer> {
  const response = await fetch(url + path)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

export async function post({ url }: Running, path: string, body: unknown = {}): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: text })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

export async function generate(engine: Running, body: Record<string, unknown>, kind = 'txt2img'): Promise<Generated> {
  const answer = await post(engine, `/sdapi/v1/${kind}`, { steps: 2, width: 128, height: 128, ...body })
  expect(answer).toMatchObject({ status: 200 })
  return { ...(answer.body as unknown as Generated), info: JSON.parse(answer.body.info as string) }
}

export interface Progress {
  progress: number
  eta_relative: number
  current_image: string | null
  state: { sampling_step: number; sampling_steps: number; job_count: number; job_no: number; interrupted: boolean }
}

export const progressOf = async (engine: Running, skip = true) =>
  (await get(engine, `/sdapi/v1/progress?skip_current_image=${skip}`)).body as unknown as Progress

export const untilSampling = (engine: Running) =>
  waitFor(async () => (await progressOf(engine)).state.sampling_step > 0, 'the first step')

export async function pixelsOf(image: string): Promise<{ width: number; height: number; data: Buffer }> {
  const { data, info } = await sharp(Buffer.from(image, 'base64')).raw().toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, data }
}

/** Runs the program until it ends by itself. */
export async function outcome(args: string[]): Promise<{ code: number; out: string; error: string }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  started.push({ child, workers: [], url: '' })
  let out = ''
  let error = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    error += chunk
  })
  const [code] = await once(child, 'close')
  return { code, out, error }
}
