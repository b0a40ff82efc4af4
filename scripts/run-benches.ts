// All benchmarks, one after another, and their tables in test/bench/RESULTS.md. Started by bench.mjs under Node 24, after the set-up.
import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from '../test/helpers/bench-table.ts'
import { runChild } from './run-child.mjs'
import { root, runScript } from './run-script.mjs'

const folder = join(root, 'test/bench')
/** What is no benchmark but part of one. */
const isPart = (file: string) => file === 'report.ts' || file.endsWith('-probe.ts')

function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
    return `commit ${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', 'src-sidecar', 'src-ui') && ', changed since'}`
  } catch {
    return 'no commit'
  }
}

await runScript(import.meta.url, async () => {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !isPart(file))
    .map((file) => file.replace(/\.ts$/, ''))
    .sort()
  const head = `# Benchmarks\n\nWritten by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}, ${commit()}.\n\n${machine()}\n`
  const parts = [head]
  const failed: string[] = []
  for (const name of names) {
    console.error(`${name} …`)
    let out = ''
    const line = ['--disable-warning=ExperimentalWarning', join(folder, `${name}.ts`)]
    const { exitCode, endedBy } = await runChild(process.execPath, line, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      graceMs: 10_000,
      onStart: (child) => void child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text)),
    })
    if (endedBy) return exitCode
    process.stdout.write(`${out}\n`)
    if (exitCode !== 0) failed.push(`${name} (exit code ${exitCode})`)
    const fence = out.includes('\n|') ? '' : '```\n'
    parts.push(
      `## ${name}\n\n${fence}${out.trim()}\n${fence}${exitCode === 0 ? '' : `\nIt failed with exit code ${exitCode}.\n`}`,
    )
  }
  writeFileSync(join(folder, 'RESULTS.md'), parts.join('\n'))
  if (failed.length > 0) console.error(`Failed: ${failed.join(', ')}.`)
  return failed.length === 0 ? 0 : 1
})
