import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Leak } from '../../../src-sidecar/lifecycle/resource-audit.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

const program = fileURLToPath(new URL('../../fixtures/programs/leaking.ts', import.meta.url))
const source = readFileSync(program, 'utf8').split('\n')
const folder = tempDir('leaking')

async function audit(what: string, ...more: string[]): Promise<{ leaks: Leak[]; text: string[] }> {
  const child = spawn(process.execPath, ['--no-warnings', program, folder, what, ...more], { stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
    child.stdin.end()
  })
  await once(child, 'close')
  return JSON.parse(said)
}

const lineOf = (call: string) => source.findIndex((line) => line.includes(call)) + 1

describe.runIf(process.platform === 'linux')('the audit', () => {
  test.for([
    ['timer', 'timer', /^Timeout$/, 'setInterval('],
    ['server', 'socket', /^tcp port \d+ listening$/, 'net.createServer('],
    ['socket', 'socket', /^unix socket/, 'net.connect('],
    ['file', 'file', /left\.txt$/, 'openSync('],
    ['stream', 'file', /^\/proc\/\d+\/maps$/, 'createReadStream('],
    ['handle', 'file', /left\.txt$/, 'promises.open('],
    ['watcher', 'watcher', /^inode \d+$/, 'fs.watch('],
    ['poller', 'watcher', /^StatWatcher$/, 'watchFile('],
    ['worker', 'thread', /^left$/, 'new Worker('],
    ['child', 'child', /^sleep \(pid \d+\)$/, "spawn('sleep'"],
  ] as const)('finds a %s that was left, and with --diagnose its line', async ([plant, kind, name, call]) => {
    const server = createServer().listen(join(folder, 'test.sock'))
    await once(server, 'listening')
    try {
      const { leaks, text } = await audit(plant, 'diagnose')
      expect(leaks).toHaveLength(1)
      expect(leaks[0]).toMatchObject({ kind, name: expect.stringMatching(name) })
      expect(text[0]).toBe(`${kind} ${leaks[0]!.name} (test/fixtures/programs/leaking.ts:${lineOf(call)})`)
    } finally {
      server.close()
    }
  })

  test('names a leak without --diagnose as well, but no line', async () => {
    expect((await audit('timer')).leaks).toEqual([{ kind: 'timer', name: 'Timeout', origins: [] }])
  })

  test('finds nothing where SQLite, sharp, undici, chokidar, a server, a worker and a child were used and closed', async () => {
    expect((await audit('nothing')).text).toEqual([])
    expect((await audit('nothing', 'diagnose')).text).toEqual([])
  })
})
