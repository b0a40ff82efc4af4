import type { StorageTrouble, StorageTroubleKind } from '../../src-sidecar/contract/storage.ts'

const titles: Record<StorageTroubleKind, string> = {
  full: 'The disk is full',
  'read-only': 'The folder is read-only',
  gone: 'The folder is gone',
  hangs: 'The folder does not answer',
  failing: 'The folder can’t be written to',
  damaged: 'The database is damaged',
}

export const storageTitle = ({ kind }: StorageTrouble): string => titles[kind]

/** What becomes of images that are made and not saved; empty where there are none. */
export function inHandText({ inHand, kind }: StorageTrouble): string {
  if (inHand === 0 || kind === 'damaged') return ''
  const them = inHand === 1 ? '1 image is made and saved' : `${inHand} images are made and saved`
  return `${them} then; if you close before, ${inHand === 1 ? 'it is' : 'they are'} made again at the next start.`
}
