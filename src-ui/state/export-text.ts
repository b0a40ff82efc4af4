import type { FolderExport } from '../../src-sidecar/contract/image-export.ts'
import { count } from './format.ts'

/** How far an export to a folder is, or how it ended. */
export function exportText({ folder, state, copied, of, missing, problem }: FolderExport): string {
  const without =
    missing > 0 ? ` The ${missing === 1 ? 'file of 1 image is' : `files of ${count(missing, 'image')} are`} gone.` : ''
  if (state === 'running') return `${copied.toLocaleString('en')} of ${count(of, 'image')} copied.${without}`
  if (state === 'done') return `${count(copied, 'image')} copied to ${folder}.${without}`
  if (state === 'stopped') return 'Stopped. What was copied has been removed again.'
  return problem ?? ''
}
