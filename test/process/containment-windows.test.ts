import { cpSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, describe as group, it } from 'vitest'
import { tempDir } from '../helpers/temp-dir.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { runBelowWine, wine } from '../package/wine.ts'

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
      await runBelowWine(['--no-warnings', program, '.', mode], { cwd: folder })
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
