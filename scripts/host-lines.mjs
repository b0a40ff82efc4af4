// The sidecar as a child of the launcher: its stdin is a pipe that only we hold, its stdout brings lines for us.
import { spawn } from 'node:child_process'
import { isAbsolute } from 'node:path'
import { createInterface } from 'node:readline'
import { runChild } from './run-child.mjs'

/** What opens a path or URL with the user's own program. @param {string} target @returns {[string, string[]]} */
function opener(target) {
  if (process.platform === 'darwin') return ['open', [target]]
  if (process.platform === 'win32') return ['rundll32', ['url.dll,FileProtocolHandler', target]]
  return ['xdg-open', [target]]
}

/** Opens a folder or page beside the sidecar: what the user opens is not ours and outlives us. @param {unknown} target */
function open(target) {
  if (typeof target !== 'string' || !(/^https?:\/\//.test(target) || isAbsolute(target))) return
  const [command, args] = opener(target)
  const child = spawn(command, args, { stdio: 'ignore', detached: true })
  child.on('error', () => console.log(`Open this yourself: ${target}`))
  child.on('exit', (code) => {
    if (code) console.log(`Open this yourself: ${target}`)
  })
  child.unref()
}

/** @param {string} line */
export function parseHostLine(line) {
  if (!line.startsWith('{"stablenew"')) return null
  try {
    return /** @type {{ stablenew: string, url?: string, target?: unknown, message?: string }} */ (JSON.parse(line))
  } catch {
    return null
  }
}

/** @param {string} line @param {((url: string) => void) | undefined} onReady */
function onLine(line, onReady) {
  const message = parseHostLine(line)
  if (message?.stablenew === 'ready') {
    console.log(`StableNew is ready: ${message.url}`)
    onReady?.(message.url ?? '')
  } else if (message?.stablenew === 'open') open(message.target)
  else if (message?.stablenew === 'notice') console.log(message.message)
  else console.log(line)
}

/**
 * Runs the sidecar until it ends.
 * @param {string} program the sidecar's
 * @param {string} node
 * @param {readonly string[]} args
 * @param {{ onReady?: (url: string) => void, stop?: AbortSignal }} [options] `onReady` gets the URL with its token
 * @returns {Promise<number>} its exit code
 */
export async function runSidecar(program, node, args, { onReady, stop } = {}) {
  const line = ['--disable-warning=ExperimentalWarning', program, '--watch-stdin', '--host-lines', ...args]
  /** @type {Promise<unknown> | undefined} */
  let read
  const { exitCode } = await runChild(node, line, {
    stdio: ['pipe', 'pipe', 'inherit'],
    ownGroup: true, // a terminal's Ctrl+C reaches only us: the sidecar gets each signal once
    endBy: 'stdin',
    stop,
    onStart: (child) => {
      if (!child.stdout) return
      const lines = createInterface({ input: child.stdout })
      lines.on('line', (text) => onLine(text, onReady))
      read = new Promise((resolve) => lines.once('close', resolve))
    },
  })
  // Its last lines; not for ever, as a process that it left behind may still hold the pipe.
  await Promise.race([read, new Promise((resolve) => setTimeout(resolve, 500).unref())])
  return exitCode
}
