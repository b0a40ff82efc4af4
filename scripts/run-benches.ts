// All benchmarks, or those that are named, one after another, and their tables in test/bench/RESULTS.md. Started by bench.mjs under Node 24, after the set-up.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runChild } from './run-child.mjs'
import { root, runScript, SetupError } from './run-script.mjs'

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

const results = join(folder, 'RESULTS.md')
const title = '# Benchmarks\n\nWritten by `npm run bench`, each part with its day, commit and machine.\n'

/** The parts of RESULTS.md by name, as they are. */
function partsThere(): Map<string, string> {
  const text = existsSync(results) ? readFileSync(results, 'utf8') : ''
  const parts = text.split(/^(?=## )/m).slice(1)
  return new Map(parts.map((part) => [/^## (\S+)/.exec(part)![1]!, part.trimEnd()]))
}

await runScript(import.meta.url, async (chosen) => {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !isPart(file))
    .map((file) => file.replace(/\.ts$/, ''))
    .sort()
  const unknown = chosen.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new SetupError(`There is no benchmark "${unknown}" in test/bench.`, 2)
  const failed: string[] = []
  for (const name of chosen.length > 0 ? chosen : names) {
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
    const head = `## ${name}\n\n${new Date().toISOString().slice(0, 10)}, ${commit()}.`
    const problem = exitCode === 0 ? '' : `\n\nIt failed with exit code ${exitCode}.`
    const parts = partsThere().set(name, `${head}\n\n${fence}${out.trim()}\n${fence}${problem}`.trimEnd())
    // At once: what comes next may take long.
    const written = names.flatMap((one) => parts.get(one) ?? [])
    writeFileSync(results, `${[title, ...written.map((part) => `${part}\n`)].join('\n')}`)
  }
  if (failed.length > 0) console.error(`Failed: ${failed.join(', ')}.`)
  return failed.length === 0 ? 0 : 1
})
