import { readFile } from 'node:fs/promises'
import type { Source } from '../contract/recipe.ts'
import { AppError, asError } from '../errors/app-error.ts'
import type { GenerateRequest } from './backend.ts'

/** The picture that a job begins with. @throws AppError `backend_rejected`, saying which file is not there */
export async function sourcePicture({ path }: Source, { picture }: GenerateRequest): Promise<Buffer<ArrayBuffer>> {
  try {
    return picture === undefined ? await readFile(path) : Buffer.from(picture)
  } catch (error) {
    const why = `The picture ${path}, with which this job begins, can't be read: ${asError(error).message}.`
    throw new AppError('backend_rejected', why, { cause: error })
  }
}
