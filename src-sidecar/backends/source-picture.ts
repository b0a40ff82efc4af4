import { readFile } from 'node:fs/promises'
import { AppError, asError } from '../errors/app-error.ts'

/** The picture that a job begins with. @throws AppError `backend_rejected`, saying which file is not there */
export async function sourcePicture(path: string): Promise<Buffer<ArrayBuffer>> {
  try {
    return await readFile(path)
  } catch (error) {
    const why = `The picture ${path}, with which this job begins, can't be read: ${asError(error).message}.`
    throw new AppError('backend_rejected', why, { cause: error })
  }
}
