import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { notesOf } from '../../../scripts/release-notes.mjs'
import { projectFolder } from '../../helpers/sidecar.ts'

const changelog = `# Changelog

## Unreleased

- later

## [1.2.0] - 2026-01-02

### Added

- this

## 1.1.0

- that
`

test('the notes of a release are its section of the changelog', () => {
  expect(notesOf(changelog, '1.2.0')).toBe('### Added\n\n- this')
  expect(notesOf(changelog, '1.1.0')).toBe('- that')
  expect(() => notesOf(changelog, '1.0.0')).toThrow('CHANGELOG.md says nothing of version 1.0.0')
})

test('every action of the workflows is pinned by a full hash, and its version stands beside it', () => {
  const folder = join(projectFolder, '.github/workflows')
  const uses = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').match(/uses:.*/g) ?? [])
  expect(uses.length).toBeGreaterThan(5)
  for (const line of uses) expect(line).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})
