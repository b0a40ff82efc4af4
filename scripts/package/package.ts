// npm run package -- [--only linux-x64] [--to dist] [--folders] [--quick] [--no-window]: makes the packages. `--folders` leaves them
// unpacked, `--quick` hardly compresses them.
// Started by package.mjs under Node 24, after the set-up.
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { root, runScript, SetupError } from '../run-script.mjs'
import { megabytes, packTarXz, packZip, sha256 } from './archive.ts'
import { assemble } from './assemble.ts'
import { bundleSidecar } from './bundle.ts'
import { debName, packDeb } from './deb.ts'
import { type Target, targets } from './targets.ts'
import { buildWindow } from './window.ts'

/** Of the commit: the same files then have the same time wherever they are packed. */
function commitTimeS(): number {
  try {
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }))
  } catch {
    return Date.UTC(2020, 0) / 1000 // not from a repository
  }
}

const archivesOf = ({ os, archive }: Target) =>
  os === 'win32'
    ? [{ name: archive, pack: packZip }]
    : [
        { name: archive, pack: packTarXz },
        { name: debName, pack: packDeb },
      ]

await runScript(import.meta.url, async (argv) => {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string' },
      to: { type: 'string', default: join(root, 'dist') },
      folders: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      'no-window': { type: 'boolean', default: false },
    },
  })
  const wanted = targets.filter(({ name }) => values.only === undefined || name === values.only)
  if (wanted.length === 0) throw new SetupError(`--only takes ${targets.map(({ name }) => name).join(' or ')}.`, 2)
  const dist = resolve(values.to)
  const sidecar = join(dist, '.sidecar')
  for (const name of ['SHA256SUMS', debName, ...targets.flatMap((one) => [one.archive, `stablenew-${one.name}`])])
    rmSync(join(dist, name), { recursive: true, force: true })
  mkdirSync(sidecar, { recursive: true })
  console.error('Bundling …')
  const licences = await bundleSidecar(sidecar)
  const window = values['no-window'] ? null : await buildWindow(wanted, (line) => console.log(line))
  const sums: string[] = []
  for (const target of wanted) {
    const folder = join(dist, `stablenew-${target.name}`)
    await assemble(target, folder, { sidecar, licences, window })
    if (values.folders) continue
    for (const { name, pack } of archivesOf(target)) {
      console.error(`Packing ${name} …`)
      const archive = join(dist, name)
      if ((await pack(folder, archive, commitTimeS(), values.quick)) === false) {
        console.log(`${name} is not made: it needs dpkg-deb (dpkg).`)
        continue
      }
      sums.push(`${await sha256(archive)}  ${name}`)
      console.log(`${name}  ${megabytes(archive).toFixed(1)} MB`)
    }
  }
  rmSync(sidecar, { recursive: true, force: true })
  if (sums.length > 0) writeFileSync(join(dist, 'SHA256SUMS'), `${sums.join('\n')}\n`)
  return 0
})
