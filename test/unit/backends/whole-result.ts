import type { GeneratedImage, GenerateResult } from '../../../src-sidecar/backends/backend.ts'
import { AppError } from '../../../src-sidecar/errors/app-error.ts'

/** A result whose image was read too; one that can't be read is rejected, as the job runner has it. */
export type WholeResult =
  | Exclude<GenerateResult, { outcome: 'done' }>
  | { readonly outcome: 'done'; readonly image: GeneratedImage }

export async function whole(asked: Promise<GenerateResult>): Promise<WholeResult> {
  const result = await asked
  if (result.outcome !== 'done') return result
  try {
    return { outcome: 'done', image: await result.image() }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { outcome: 'rejected', problem: { code: error.code, message: error.message } }
  }
}
