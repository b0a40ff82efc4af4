import { once } from 'node:events'
import { chmodSync, cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { projectFolder } from '../helpers/sidecar.ts'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

/** The real UI in the real window, with one script more, that tells us what it shows and does what we say. */
export interface WatchedPage {
  /** For NEUTRALINO_BIN: the real binary, pointed at the folder with the watched page. */
  readonly binary: string
  /** Waits until a page shows the packs that it has from the sidecar; a newer one than it saw before. */
  shown(): Promise<void>
  reload(): void
  /** Lets Neutralino tell everybody of a click in the tray's menu. */
  clickTray(id: string): void
  stop(): Promise<void>
}

const script = (port: number) => `<script>
  const load = String(Math.random())
  setInterval(async () => {
    if (!document.body.innerText.includes('landscapes')) return
    const answer = await fetch('http://127.0.0.1:${port}/' + load)
    const [word, id] = (await answer.text()).split(' ')
    if (word === 'reload') location.reload()
    if (word === 'tray') {
      const accessToken = window.NL_TOKEN || sessionStorage.getItem('NL_TOKEN')
      const socket = new WebSocket('ws://127.0.0.1:' + NL_PORT + '?connectToken=' + accessToken.split('.')[1])
      const data = { event: 'trayMenuItemClicked', data: { id } }
      socket.onopen = () => {
        for (const method of ['app.broadcast', 'extensions.broadcast'])
          socket.send(JSON.stringify({ id: crypto.randomUUID(), method, accessToken, data }))
      }
    }
  }, 100)
</script>`

export async function watchPage(neutralino: string): Promise<WatchedPage> {
  const loads = new Set<string>()
  let seen = 0
  /** What the next known page that asks is told. */
  let command = 'stay'
  const server = createServer((request, response) => {
    const isNew = !loads.has(request.url!)
    loads.add(request.url!)
    response.setHeader('access-control-allow-origin', '*').end(isNew ? 'stay' : command)
    if (!isNew) command = 'stay'
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const folder = tempDir('window')
  for (const name of ['src-sidecar', 'node_modules', 'neutralino.config.json', 'package.json'])
    symlinkSync(join(projectFolder, name), join(folder, name))
  cpSync(join(projectFolder, 'resources/ui'), join(folder, 'resources/ui'), { recursive: true })
  const page = join(folder, 'resources/ui/index.html')
  writeFileSync(page, readFileSync(page, 'utf8').replace('</body>', `${script((server.address() as AddressInfo).port)}</body>`))
  const binary = join(folder, 'neutralino')
  writeFileSync(binary, `#!/bin/sh\nexec '${neutralino}' "$1" '--path=${folder}' "$3"\n`)
  chmodSync(binary, 0o755)
  return {
    binary,
    shown: async () => {
      await waitFor(() => loads.size > seen, 'the page with its packs', { ms: 30_000 })
      seen = loads.size
    },
    reload: () => {
      command = 'reload'
    },
    clickTray: (id) => {
      command = `tray ${id}`
    },
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
