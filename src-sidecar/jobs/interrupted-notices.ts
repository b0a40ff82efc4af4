import type { Job } from '../contract/job.ts'

/** What the user is told of a job that was cut short. */
export function recoveredNotice(job: Job): string {
  const fate =
    job.state === 'quarantined' ? 'is kept out of the queue (Retry puts it back)' : `goes on at image ${job.imagesDone + 1}`
  return `The last run ended in the middle of job ${job.id} (${job.packName}): it ${fate}.`
}

/** And of an image that was made and not saved. */
export const unsavedNotice = ({ id, packName, imagesDone, problem }: Job): string =>
  `Image ${imagesDone + 1} of job ${id} (${packName}) could not be saved before StableNew closed, and is made again. ${problem?.message ?? ''}`
