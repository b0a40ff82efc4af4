/**
 * A program of its own for each run, so that whatever the run leaves behind falls to it and to nobody else: it starts the
 * app, uses it, closes it, and watches. Its standard input's end ends it and everything below it.
 */
import { rm } from 'node:fs/promises'
import type { SelftestPhase } from '../contract/selftest.ts'
import { asError } from '../errors/app-error.ts'
import { TreeWatch } from '../processes/tree-watch.ts'
import { failed, figuresOf } from './results.ts'
import { witnessCycles } from './witness-cycles.ts'
import { witnessPlanSchema } from './witness-plan.ts'
import { witnessScenario } from './witness-scenario.ts'

const endWithinMs = 10_000

const say = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`)
const onPhase = (phase: SelftestPhase) => say({ phase })
const plan = witnessPlanSchema.parse(JSON.parse(process.argv[2] ?? ''))
const tree = new TreeWatch()

async function end(exitCode: number): Promise<never> {
  tree.stop()
  await tree.endAll(endWithinMs)
  // Whoever made it may have been killed.
  await rm(plan.dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  process.exit(exitCode)
}

for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
process.stdin
  .on('end', () => void end(1))
  .on('error', () => void end(1))
  .resume()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(1))

tree.start()
const result = await (plan.id === 'M' ? witnessCycles(plan, tree, onPhase) : witnessScenario(plan, tree, onPhase)).catch(
  (thrown: unknown) => failed(asError(thrown).message, figuresOf(tree)),
)
say({ result })
await end(0)
