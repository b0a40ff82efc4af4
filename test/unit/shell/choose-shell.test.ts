import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { chooseShell } from '../../../src-sidecar/shell/choose-shell.ts'
import { findChromium } from '../../../src-sidecar/shell/find-chromium.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

const found = () => '/usr/bin/chromium'
const missing = () => null
const desk = { DISPLAY: ':0' }

test('auto is the app window where there are a display and a Chromium, without a word', () => {
  expect(chooseShell('auto', desk, 'linux', found)).toEqual({ kind: 'browser', browser: '/usr/bin/chromium', reason: null })
  expect(chooseShell('auto', { WAYLAND_DISPLAY: 'wayland-0' }, 'linux', found).kind).toBe('browser')
  expect(chooseShell('auto', {}, 'win32', found).kind).toBe('browser')
})

test('auto without a display is no window, and without a Chromium the default browser; both say why', () => {
  expect(chooseShell('auto', {}, 'linux', found)).toMatchObject({ kind: 'none', reason: expect.stringMatching(/display/) })
  expect(chooseShell('auto', { DISPLAY: '' }, 'linux', found).kind).toBe('none')
  expect(chooseShell('auto', desk, 'linux', missing)).toMatchObject({
    kind: 'browser',
    browser: null,
    reason: expect.stringMatching(/default browser/),
  })
})

test('what is asked for by name is taken', () => {
  expect(chooseShell('none', desk, 'linux', found)).toEqual({ kind: 'none', browser: null, reason: null })
  expect(chooseShell('neutralino', {}, 'linux', missing).kind).toBe('neutralino')
  expect(chooseShell('browser', {}, 'linux', found).kind).toBe('browser')
})

function program(path: string): string {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, '')
  chmodSync(path, 0o755)
  return path
}

test('a browser is found on PATH by its best name, in program folders on Windows and macOS, or by CHROMIUM_BIN', () => {
  const folder = tempDir('browsers')
  const chrome = program(join(folder, 'bin/google-chrome'))
  expect(findChromium({ PATH: `/nowhere:${folder}/bin` }, 'linux')).toBe(chrome)
  const chromium = program(join(folder, 'later/chromium'))
  expect(findChromium({ PATH: `${folder}/bin:${folder}/later` }, 'linux')).toBe(chromium)
  const edge = program(join(folder, 'pf/Microsoft/Edge/Application/msedge.exe'))
  expect(findChromium({ 'PROGRAMFILES(X86)': join(folder, 'pf') }, 'win32')).toBe(edge)
  const app = program(join(folder, 'Applications/Chromium.app/Contents/MacOS/Chromium'))
  expect([app, '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']).toContain(
    findChromium({ HOME: folder }, 'darwin'),
  )
  expect(findChromium({ CHROMIUM_BIN: edge, PATH: join(folder, 'bin') }, 'linux')).toBe(edge)
  expect(findChromium({ CHROMIUM_BIN: '/no/such/program', PATH: join(folder, 'bin') }, 'linux')).toBeNull()
  expect(findChromium({ PATH: '/nowhere' }, 'linux')).toBeNull()
})
