import { modelKey } from '../../contract/model-key.ts'
import type { PackFinding, PackPrompt } from '../../contract/pack.ts'
import { didYouMean } from '../nearest-name.ts'

/**
 * A warning for each LoRA that no backend lists, at the first prompt that has it; nothing where no backend has listed any.
 * Names that are made of slots or braces are not known before.
 */
export function checkLoras(prompts: readonly PackPrompt[], file: string, listed: readonly string[]): PackFinding[] {
  if (listed.length === 0) return []
  const known = new Set(listed.map(modelKey))
  const findings: PackFinding[] = []
  for (const { prompt, line } of prompts)
    for (const [, name = ''] of prompt.matchAll(/<lora:([^<>:[{]+)[:>]/gi)) {
      const key = modelKey(name)
      if (known.has(key)) continue
      known.add(key)
      const suggestion = `${didYouMean(name, listed)} Put it into the folder of the backend, or correct the name.`.trim()
      findings.push({
        severity: 'warning',
        file,
        line,
        column: null,
        message: `No backend lists the LoRA "${name}".`,
        suggestion,
      })
    }
  return findings
}
