// Loaded by Node before the app, in a selftest with faults: blocks the event loop for 60 s as soon as the file `block-now` is there.
import { existsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'

const blockMs = 60_000
const lookEveryMs = 50
const dataDir = process.argv[process.argv.indexOf('--data-dir') + 1] ?? ''

if (isMainThread) {
  const timer = setInterval(() => {
    if (!existsSync(join(dataDir, 'block-now'))) return
    clearInterval(timer)
    writeSync(2, 'blocked\n')
    for (const until = performance.now() + blockMs; performance.now() < until; );
  }, lookEveryMs)
  timer.unref()
}
