import type { AnswerRecord, Design } from '../../contract/learning.ts'
import type { Observation } from './observation.ts'

/**
 * What the answers of an experiment say. Images of one block that other checkpoints made (two servers, each with its own) are
 * not compared: they differ in more than the value.
 * @param id tells its blocks from those of other experiments
 */
export function fromExperiment(id: number, design: Design, answers: readonly AnswerRecord[]): Observation[] {
  const { variable, packId, packName, values, prompts } = design
  const variesModel = variable === 'checkpoint'
  return answers.flatMap(({ prompt, image, a, b, outcome, modelA, modelB }): Observation[] => {
    const [valueA, text] = [values[a], prompts[prompt]?.prompt]
    if (valueA === undefined || text === undefined) return []
    const model = variesModel ? '' : modelA
    const block = `experiment:${id}:${prompt}:${image}:${model}`
    const about = { variable, model, packId, packName, prompt: text, from: 'experiment', block } as const
    if (b === null) return [{ ...about, review: 'stars', value: valueA, score: outcome }]
    const valueB = values[b]
    if (valueB === undefined || (!variesModel && modelA !== modelB)) return []
    return [{ ...about, review: 'pairs', a: valueA, b: valueB, won: outcome }]
  })
}
