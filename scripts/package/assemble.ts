import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runChild } from '../run-child.mjs'
import { root } from '../run-script.mjs'
import { filesBelow } from './archive.ts'
import type { Licence } from './bundle.ts'
import { licenceText } from './licences.ts'
import { copyPackage, modulesFor, packagesFor } from './modules.ts'
import type { Target } from './targets.ts'
import type { BuiltWindow } from './window.ts'

export interface Parts {
  /** As `bundleSidecar` left it. */
  readonly sidecar: string
  readonly licences: readonly Licence[]
  /** Null: the package has no window of its own, and opens a browser's. */
  readonly window: BuiltWindow | null
}

/** Puts everything of one platform's package into `folder`, which is made anew. */
export async function assemble(target: Target, folder: string, { sidecar, licences, window }: Parts): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'runtime'), { recursive: true })
  cpSync(sidecar, join(folder, 'sidecar'), { recursive: true })
  const modules = await modulesFor(target)
  const packages = packagesFor(target)
  for (const name of packages) copyPackage(name, modules, join(folder, 'sidecar/node_modules'), target)
  await copyNode(target, modules, join(folder, 'runtime', target.nodeFile))

  cpSync(join(root, 'resources'), join(folder, 'resources'), { recursive: true })
  for (const built of ['ui/.built-from', 'ui/licences.json']) rmSync(join(folder, 'resources', built), { force: true })
  copyFileSync(join(root, 'neutralino.config.json'), join(folder, 'neutralino.config.json'))
  const { name, version, description, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const about = { name, version, description, license, private: true, type: 'module' }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(about, null, 2)}\n`)
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  writeFileSync(join(folder, 'THIRD-PARTY-LICENCES.txt'), licenceText(licences, packages, modules, target.nodePackage))

  const templates = join(root, 'scripts/package', target.os)
  for (const file of filesBelow(templates)) copyFileSync(join(templates, file), join(folder, file))
  const program = window?.program(target)
  if (window && program) {
    copyFileSync(program, join(folder, target.window))
    copyFileSync(join(window.folder, 'resources.neu'), join(folder, 'resources.neu'))
  }
  for (const file of filesBelow(folder)) chmodSync(join(folder, file), isProgram(file, target) ? 0o755 : 0o644)
}

const isProgram = (file: string, { nodeFile, window }: Target): boolean =>
  file === `runtime/${nodeFile}` || file === window || file === 'stablenew'

/** The pinned Node; on Linux without the symbols that only a debugger wants, 18 MB. */
async function copyNode(target: Target, modules: string, to: string): Promise<void> {
  const from = join(modules, target.nodePackage, 'bin', target.nodeFile)
  if (target.os === 'linux') {
    const stripped = await runChild('strip', ['-o', to, from], { stdio: ['ignore', 2, 2] }).catch(() => ({ exitCode: 1 }))
    if (stripped.exitCode === 0) return
    console.error('Node is packed with its symbols, 18 MB larger: install strip (binutils) to leave them out.')
  }
  copyFileSync(from, to)
}
