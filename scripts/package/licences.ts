import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../run-script.mjs'
import type { Licence } from './bundle.ts'

const uiFonts = ['@fontsource-variable/inter']
const neutralino = `Neutralinojs (https://neutralino.js.org), the window: MIT License, © Neutralinojs and contributors.`

/** The licence of a package in `modules`, from its own files. */
export function licenceOf(name: string, modules: string): Licence {
  const folder = join(modules, name)
  const { name: own, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one))
  return { name: own, version, identifier: license ?? null, text: file ? readFileSync(join(folder, file), 'utf8') : null }
}

/** The text of every licence of what ships; the same text stands once for all that share it. */
export function licenceText(
  bundled: readonly Licence[],
  packages: readonly string[],
  modules: string,
  nodePackage: string,
): string {
  const uiFile = join(root, 'resources/ui/licences.json')
  const ui: Licence[] = existsSync(uiFile) ? JSON.parse(readFileSync(uiFile, 'utf8')) : []
  const fonts = uiFonts.map((name) => licenceOf(name, join(root, 'node_modules')))
  const own = packages.map((name) => licenceOf(name, modules))
  const all = new Map([...bundled, ...ui, ...fonts, ...own].map((one) => [`${one.name} ${one.version}`, one]))
  const byText = new Map<string, string[]>()
  for (const [title, { identifier, text }] of [...all].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const body =
      text?.replaceAll('\r\n', '\n').trim() ?? `${identifier ?? 'No licence is named.'}: the package holds no text of it.`
    byText.set(body, [...(byText.get(body) ?? []), `${title} (${identifier ?? 'see below'})`])
  }
  const rule = '-'.repeat(80)
  const parts = [...byText].map(([text, titles]) => `${titles.join('\n')}\n\n${text}`)
  const node = licenceOf(nodePackage, modules)
  const head = `StableNew contains the following, each under its own licence.\n\n${neutralino}`
  return `${[head, ...parts, `Node.js ${node.version}\n\n${node.text?.trim()}`].join(`\n\n${rule}\n`)}\n`
}
