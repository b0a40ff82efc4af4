import type { MissingPlace, MissingWork } from '../../src-sidecar/contract/missing-files.ts'
import { count } from './format.ts'

/** What is missing, in a sentence or two. A folder that is gone is one thing, however many images were in it. */
export function missingText(images: number, places: readonly MissingPlace[]): string {
  const gone = places.filter(({ isGone }) => isGone)
  const [first] = gone
  const inGone = gone.reduce((sum, place) => sum + place.images, 0)
  const rest = images - inGone
  if (first === undefined) return `${filesOf(images)} gone.`
  const folders =
    gone.length === 1
      ? `The folder ${first.folder} is not there, with the files of ${count(first.images, 'image')}.`
      : `${gone.length} folders are not there, with the files of ${count(inGone, 'image')}.`
  return `${folders} Is a drive not plugged in?${rest > 0 ? ` Elsewhere ${filesOf(rest).toLowerCase()} gone.` : ''}`
}

const filesOf = (images: number): string =>
  images === 1 ? 'The file of 1 image is' : `The files of ${count(images, 'image')} are`

const running = { look: 'Looking for missing files', find: 'Looking for moved files', remove: 'Removing from the history' }

/** What is being done, or how it ended. */
export function missingWorkText({ what, state, of, gone, back, found, removed, problem }: MissingWork): string {
  if (state === 'running') return running[what]
  const parts = [
    ...(gone > 0 ? [`${count(gone, 'image')} newly missing`] : []),
    ...(back > 0 ? [`${count(back, 'image')} back`] : []),
    ...(found > 0 ? [`${count(found, 'image')} found at a new place`] : []),
    ...(removed > 0 ? [`${count(removed, 'image')} removed`] : []),
    ...(what === 'find' && found < of ? [`${count(of - found, 'image')} not found there`] : []),
  ]
  const how = { done: 'Done', stopped: 'Stopped', failed: 'It failed' }[state]
  return `${how}: ${parts.join(', ') || 'nothing has changed'}.${problem === null ? '' : ` ${problem}.`}`
}
