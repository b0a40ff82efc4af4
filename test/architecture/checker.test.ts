import { describe, expect, test } from 'vitest'
import { circles, layers, maxLines, neighbours, violations } from './rules.ts'
import { factsOf } from './source-facts.ts'

const check = (path: string, text: string) => violations([factsOf(path, text)])

describe('the checker sees', () => {
  test.each([
    ['a static import', `import { openDatabase } from '../store/database.ts'`],
    ['an import for its effect', `import '../store/database.ts'`],
    ['a type import', `import type { Database } from '../store/database.ts'`],
    ['a type in an inline import', `let open: import('../store/database.ts').Database`],
    ['a dynamic import', `const { openDatabase } = await import('../store/database.ts')`],
    ['a dynamic import in a template string', 'await import(`../store/database.ts`)'],
    ['a re-export', `export * from '../store/database.ts'`],
    ['require', `const store = require('../store/database.ts')`],
    ['a resolved path', `import.meta.resolve('../store/database.ts')`],
  ])('%s that goes right', (_, text) => {
    expect(check('src-sidecar/config/settings.ts', text)).toEqual([
      'src-sidecar/config/settings.ts imports src-sidecar/store/database.ts: store is above config',
    ])
  })

  test('an import of another folder of the same layer', () => {
    expect(check('src-sidecar/packs/a.ts', `import { b } from '../jobs/b.ts'`)).toEqual([
      'src-sidecar/packs/a.ts imports src-sidecar/jobs/b.ts: packs and jobs are of one layer',
    ])
  })

  test('an import of the composition from below', () => {
    expect(check('src-sidecar/api/a.ts', `import { openCore } from '../core.ts'`)).toHaveLength(1)
    expect(check('src-sidecar/cli/a.ts', `import { startApp } from '../app.ts'`)).toHaveLength(1)
    expect(check('src-sidecar/app.ts', `import './main.ts'`)).toHaveLength(1)
  })

  test('a folder that has no layer', () => {
    expect(check('src-sidecar/utils/a.ts', `import '../errors/app-error.ts'`)).toEqual(['src-sidecar/utils/a.ts is in no layer'])
    expect(check('src-sidecar/app.ts', `import './utils/a.ts'`)).toHaveLength(1)
  })

  test.each([
    ['src-sidecar/jobs/a.ts', `import Sqlite from 'better-sqlite3'`],
    ['src-sidecar/jobs/a.ts', `import type { Database } from 'better-sqlite3'`],
    ['src-sidecar/shell/a.ts', `import { spawn } from 'node:child_process'`],
    ['src-sidecar/shell/a.ts', `import { spawn } from 'child_process'`],
    ['src-sidecar/shell/a.ts', `await import('execa')`],
    ['src-sidecar/backends/draft-engine/server.ts', `import { spawn } from 'node:child_process'`],
    ['src-sidecar/lifecycle/a.ts', `import koffi from 'koffi'`],
    ['src-sidecar/lifecycle/a.ts', `import kill from 'tree-kill'`],
    ['src-ui/state/a.ts', `import { events } from '@neutralinojs/lib'`],
    ['src-ui/components/A.svelte', `<p>hi</p>\n<script lang="ts">\nimport { app } from '@neutralinojs/lib'\n</script>`],
  ])('in %s: %s', (path, text) => {
    expect(check(path, text)).toHaveLength(1)
  })

  test('the UI reaching into the sidecar, and the sidecar into the UI', () => {
    expect(check('src-ui/state/a.ts', `import type { JobStore } from '../../src-sidecar/jobs/job-store.ts'`)).toHaveLength(1)
    expect(check('src-sidecar/api/a.ts', `import { route } from '../../src-ui/state/route.ts'`)).toHaveLength(1)
  })

  test('the draft engine and the sidecar importing each other', () => {
    expect(check('src-sidecar/backends/draft-engine/a.ts', `import '../../errors/app-error.ts'`)).toHaveLength(1)
    expect(check('src-sidecar/backends/draft-backend.ts', `import './draft-engine/engine.ts'`)).toHaveLength(1)
  })

  test.each([
    'process.env.HOME',
    `process['env']`,
    'const { env } = process',
    'const { env: all } = globalThis.process',
    `import { env } from 'node:process'`,
  ])('a read of the environment as %s', (text) => {
    expect(check('src-sidecar/jobs/a.ts', text)).toHaveLength(1)
  })

  test.each(['process.exit(1)', 'globalThis.process.exit()', 'process.reallyExit(0)', 'const { exit } = process'])(
    'an exit as %s',
    (text) => {
      expect(check('src-sidecar/app.ts', text)).toHaveLength(1)
    },
  )

  test('a file that is too long', () => {
    expect(check('src-sidecar/jobs/a.ts', 'x\n'.repeat(maxLines))).toEqual([])
    expect(check('src-sidecar/jobs/a.ts', 'x\n'.repeat(maxLines + 1))).toHaveLength(1)
  })

  test('a circle of imports, but not one that is gone at run time', () => {
    const a = factsOf('src-sidecar/jobs/a.ts', `import { b } from './b.ts'`)
    const b = factsOf('src-sidecar/jobs/b.ts', `import { c } from './c.ts'`)
    const c = factsOf('src-sidecar/jobs/c.ts', `import { a } from './a.ts'`)
    const typeOnly = factsOf('src-sidecar/jobs/c.ts', `import type { a } from './a.ts'\nimport { type A } from './a.ts'`)
    expect(circles([a, b, c])).toEqual([[a.path, b.path, c.path, a.path]])
    expect(circles([a, b, typeOnly])).toEqual([])
  })
})

describe('the checker lets pass', () => {
  test.each([
    ['src-sidecar/jobs/a.ts', `import '../backends/backend.ts'; import '../store/database.ts'; import './job-store.ts'`],
    ['src-sidecar/errors/a.ts', `import type { ErrorCode } from '../contract/error-codes.ts'`],
    ['src-sidecar/main.ts', `import './app.ts'; import './compose-run.ts'; process.exit(0)`],
    ['src-sidecar/compose-app.ts', `import './core.ts'; import './compose-shell.ts'; import './api/api.ts'`],
    ['src-sidecar/store/database.ts', `import Sqlite from 'better-sqlite3'`],
    ['src-sidecar/processes/shim.linux.ts', `import koffi from 'koffi'; process.exit(Number(process.env.CODE))`],
    ['src-sidecar/backends/draft-engine/workers.ts', `import { spawn } from 'node:child_process'`],
    ['src-sidecar/config/environment.ts', 'export const environment = () => process.env'],
    ['src-ui/shell/neutralino.ts', `import { app } from '@neutralinojs/lib'`],
    ['src-ui/state/a.ts', `import type { Job } from '../../src-sidecar/contract/job.ts'`],
    ['src-sidecar/jobs/a.ts', `// process.env and process.exit()\nexport const text = "import('../api/api.ts')"`],
    ['src-sidecar/jobs/a.ts', `process.exitCode = 1; other.process.env; job.exit()`],
  ])('in %s: %s', (path, text) => {
    expect(check(path, text)).toEqual([])
  })
})

test('the exceptions in the table are between parts of one layer', () => {
  for (const { from, to } of neighbours) {
    expect(
      layers.some((layer) => layer.includes(from) && layer.includes(to)),
      `${from} → ${to}`,
    ).toBe(true)
  }
})
