/**
 * A program that speaks Neutralino's protocol without a window, for tests of how the app closes. Its page, unless
 * `--no-page`, starts the sidecar with the arguments behind `--`, Node with those of `--node-flags`.
 *
 * One command a line on stdin: `close` (the window's close button), `tray ID` (a click in the tray's menu), `drop` (the
 * extension's connection breaks), `reload` (the page), `crash-page`, `kill` (SIGKILL for itself). The end of stdin is `app.exit`.
 * On stdout: the sidecar's lines as they are, and its own as `{"standIn": …}`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { appFolder, programPath } from '../config/program-path.ts'
import { NativeCalls } from './native-calls.ts'
import { SpawnedProcesses } from './spawned-processes.ts'
import { StandInPage } from './stand-in-page.ts'
import { StandInServer } from './stand-in-server.ts'

const configSchema = z.object({ nativeAllowList: z.array(z.string()), extensions: z.tuple([z.object({ id: z.string() })]) })
const config = configSchema.parse(JSON.parse(readFileSync(join(appFolder, 'neutralino.config.json'), 'utf8')))
const extensionId = config.extensions[0].id
const { values: flags, positionals: sidecarArgs } = parseArgs({
  options: { 'no-page': { type: 'boolean' }, 'no-tray': { type: 'boolean' }, 'node-flags': { type: 'string', default: '' } },
  allowPositionals: true,
})

const say = (what: string, data: object = {}) => void process.stdout.write(`${JSON.stringify({ standIn: what, ...data })}\n`)
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

/** As Neutralino does: at once, whatever still runs below. */
function exit(code: number): never {
  say('exit', { code })
  process.exit(code)
}

const processes = new SpawnedProcesses((event) => {
  if (event.action === 'stdOut') process.stdout.write(String(event.data))
  else if (event.action === 'stdErr') process.stderr.write(String(event.data))
  else say('process-exit', event)
  server.broadcast('spawnedProcess', event)
})
const server: StandInServer = new StandInServer({ extensionId, answer: (text) => calls.answer(text) })
const calls: NativeCalls = new NativeCalls({
  token: server.token,
  allowed: config.nativeAllowList,
  hasTray: !flags['no-tray'],
  processes,
  connectedExtensions: () => server.connectedExtensions,
  broadcastToPages: server.broadcastToPages,
  exit,
  onCall: (method, data) => say('call', { method, data: method === 'os.updateSpawnedProcess' ? { event: data.event } : data }),
})
const port = await server.listen()

const nodeFlags = flags['node-flags'].split(' ').filter(Boolean)
const words = [process.execPath, '--disable-warning=ExperimentalWarning', ...nodeFlags, programPath('main')]
const all = [...words, '--host-lines', '--shell', 'neutralino', ...sidecarArgs]
const quoted = all.map((word) => (process.platform === 'win32' ? `"${word}"` : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
const command = process.platform === 'win32' ? quoted : `exec ${quoted}`

let page: StandInPage | undefined
function openPage(): void {
  const { token, connectToken } = server
  page = new StandInPage({ port, token, connectToken, extensionId, command, onReady: () => say('page-ready') })
  void page.open()
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [word, id] = line.split(' ')
    if (word === 'close') server.broadcast('windowClose')
    else if (word === 'tray') server.broadcast('trayMenuItemClicked', { id, text: id, isChecked: false, isDisabled: false })
    else if (word === 'drop') server.dropExtensions()
    else if (word === 'crash-page' || word === 'reload') page?.close()
    else if (word === 'kill') process.kill(process.pid, 'SIGKILL')
    if (word === 'reload') openPage()
  })
  .on('close', () => exit(0))

// Its tokens as well: whoever started it may play the page.
say('listening', { port, token: server.token, connectToken: server.connectToken, command })
if (!flags['no-page']) openPage()
