// `--import`ed into a sidecar by its command line: makes it fail as a bug of ours would, when it is told to. Signals, because
// they need no file, port or timer, so that the sidecar's own audit sees nothing that is not its own.
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  process.on('SIGUSR2', () => {
    setImmediate(() => {
      throw new Error('planted: an exception that nobody catches')
    })
  })
  process.on('SIGPWR', () => void Promise.reject(new Error('planted: a rejection that nobody handles')))
}
