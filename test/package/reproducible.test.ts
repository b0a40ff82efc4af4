import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { filesBelow, sha256 } from '../../scripts/package/archive.ts'
import { projectFolder } from '../helpers/sidecar.ts'
import { tempDir } from '../helpers/temp-dir.ts'

const folders = ['stablenew-linux-x64', 'stablenew-win-x64']

async function run(cwd: string, command: string, ...args: string[]): Promise<void> {
  const env = { ...process.env, npm_config_prefer_offline: 'true' }
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = await once(child, 'exit')
  expect(code, `${command} ${args.join(' ')}`).toBe(0)
}

/** SHA-256 of each file of the packages, and of their archives. */
async function sums(project: string): Promise<string[]> {
  const dist = join(project, 'dist')
  const files = folders.flatMap((folder) => filesBelow(join(dist, folder)).map((file) => `${folder}/${file}`))
  const lines = await Promise.all(files.map(async (file) => `${await sha256(join(dist, file))}  ${file}`))
  return [...lines, ...readFileSync(join(dist, 'SHA256SUMS'), 'utf8').trim().split('\n')]
}

// Minutes of packing: npm run verify.
test.skipIf(process.env.STABLENEW_VERIFY !== '1' || process.platform !== 'linux')(
  'two builds of one commit in two folders, from the installing on, give the same files and the same archives',
  { timeout: 30 * 60_000 },
  async () => {
    const first = join(tempDir('build'), 'one')
    const second = join(tempDir('another build, elsewhere'), 'two')
    await run(projectFolder, 'git', 'clone', '--quiet', '--no-hardlinks', projectFolder, first)
    if (existsSync(join(projectFolder, 'bin'))) cpSync(join(projectFolder, 'bin'), join(first, 'bin'), { recursive: true })
    const build = async (folder: string) => {
      await run(folder, 'npm', 'run', 'package', '--', ...(existsSync(join(folder, 'bin')) ? [] : ['--no-window']))
      return await sums(folder)
    }
    const firstSums = await build(first)
    mkdirSync(second)
    renameSync(first, second)
    for (const made of ['dist', 'node_modules', 'resources/ui', '.tmp'])
      rmSync(join(second, made), { recursive: true, force: true })
    const secondSums = await build(second)
    expect(firstSums.length).toBeGreaterThan(100)
    expect(secondSums).toEqual(firstSums)
    console.log(`The packages are reproducible: ${firstSums.length} files and archives of two builds are the same.`)
  },
)
