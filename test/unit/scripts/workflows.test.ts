import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { projectFolder } from '../../helpers/sidecar.ts'

const folder = join(projectFolder, '.github/workflows')
const scripts: Record<string, string> = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')).scripts
/** What the first group of `pattern` takes out of a text, each once. */
const found = (text: string, pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, one]) => one!))]

describe.each(readdirSync(folder))('the workflow %s', (name) => {
  const text = readFileSync(join(folder, name), 'utf8')

  test('runs what there is', () => {
    const called = found(text, /\bnpm (?:run )?((?!ci\b|run\b)[\w:]+)/g)
    expect(called.length).toBeGreaterThan(0)
    for (const script of called) expect(scripts, script).toHaveProperty(script)
    const files = [
      ...found(text, /\bnode (scripts\/\S+)/g),
      ...Object.values(scripts).flatMap((line) => found(line, /\b(scripts\/\S+)/g)),
    ]
    for (const file of files) expect(existsSync(join(projectFolder, file)), file).toBe(true)
  })

  test('takes each action at one commit, and only as much right as it needs', () => {
    const actions = found(text, /uses: (\S+)/g)
    expect(actions.length).toBeGreaterThan(0)
    for (const action of actions) expect(action).toMatch(/^actions\/[\w-]+@[0-9a-f]{40}$/)
    expect(text).toMatch(/^permissions:\n {2}contents: read$/m)
  })
})
