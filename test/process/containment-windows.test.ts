import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, describe as group, it } from 'vitest'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'

// Wine stands in for Windows. STABLENEW_WINE names a folder with `wine` (the program or a link to it), `node.exe` (Node 22 for
// Windows; 24 crashes there) and `node_modules` (koffi with its win32 part, and what else the sidecar imports).
const wine = process.env.STABLENEW_WINE
const root = fileURLToPath(new URL('../..', import.meta.url))
const members = ['beat-child', 'beat-detached', 'beat-detached-below-detached', 'beat-leader']

group.skipIf(!wine)('containment on Windows', () => {
  it.each(['terminate', 'kill-guard', 'kill-sidecar'])(
    'child, detached and detached grandchild are gone after %s',
    { timeout: 60_000 },
    async (mode) => {
      const folder = tempDir('wine')
      for (const part of ['src-sidecar', 'test/fixtures/programs', 'package.json'])
        cpSync(join(root, part), join(folder, part), { recursive: true })
      cpSync(realpathSync(join(wine!, 'node_modules')), join(folder, 'node_modules'), { recursive: true })
      const program = join(folder, 'test/fixtures/programs/windows-rows.ts')
      const env = {
        ...process.env,
        WINEPREFIX: realpathSync(join(wine!, 'prefix')),
        WINEDEBUG: '-all',
        NODE_SKIP_PLATFORM_CHECK: '1',
      }
      spawnSync(realpathSync(join(wine!, 'wine')), [realpathSync(join(wine!, 'node.exe')), '--no-warnings', program, '.', mode], {
        cwd: folder,
        env,
        stdio: ['ignore', 'ignore', 'ignore'],
        timeout: 50_000,
      })
      const said = readFileSync(join(folder, 'said.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(said[0]).toMatchObject({ event: 'started' })
      expect(
        readdirSync(folder)
          .filter((name) => name.startsWith('beat-'))
          .sort(),
      ).toEqual(members)
      if (mode === 'terminate')
        expect(said[1]).toMatchObject({ closed: { outcome: 'terminated', steps: [{ name: 'SIGTERM' }, { name: 'SIGKILL' }] } })
      const beats = () => members.map((name) => readFileSync(join(folder, name), 'utf8').length).join()
      const last = beats()
      // Each would beat ten times a second.
      await waitFor(() => false, 'a second of silence', { ms: 1000 }).catch(() => {})
      expect(beats()).toBe(last)
    },
  )
})
