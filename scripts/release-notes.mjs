// node scripts/release-notes.mjs v1.2.3: prints what CHANGELOG.md says of a version, which must be that of package.json.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, runScript, SetupError } from './run-script.mjs'

/**
 * The section of one version, without its heading.
 * @param {string} changelog @param {string} version such as `1.2.3`
 * @throws SetupError where there is none, or an empty one
 */
export function notesOf(changelog, version) {
  const sections = changelog.split(/^## /m).slice(1)
  const section = sections.find((one) => one.replace(/^\[/, '').split(/[\]\s]/, 1)[0] === version)
  const notes = section?.slice(section.indexOf('\n')).trim()
  if (!notes) throw new SetupError(`CHANGELOG.md says nothing of version ${version}.`)
  return notes
}

await runScript(import.meta.url, async ([tag = '']) => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  if (tag !== `v${version}`) throw new SetupError(`The tag is ${tag || 'missing'}, the version in package.json ${version}.`)
  console.log(notesOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version))
  return 0
})
