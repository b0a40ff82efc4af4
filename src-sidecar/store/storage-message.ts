import type { StorageTroubleKind } from '../contract/storage.ts'

/** @returns `1.9 GB`, `340 MB`, `12 kB` */
export function sizeText(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.round(bytes / 1e3)} kB`
}

interface About {
  readonly kind: StorageTroubleKind
  readonly folder: string
  readonly freeBytes: number | null
  readonly reason: string
}

/** What the user is told: what it is, where, and what to do. */
export function storageMessage({ kind, folder, freeBytes, reason }: About): string {
  const goesOn = 'The queue waits, and goes on by itself.'
  switch (kind) {
    case 'full': {
      const free = freeBytes === null ? '' : ` (${sizeText(freeBytes)} free)`
      return `There is no room left in ${folder}${free}. Free some space or raise its quota. ${goesOn}`
    }
    case 'read-only':
      return `Nothing may be written to ${folder} (${reason}). Make it writable again. ${goesOn}`
    case 'gone':
      return `${folder} is not there (${reason}). Connect its drive, or put the folder back. ${goesOn}`
    case 'hangs':
      return `${folder} does not answer. Look after its drive or network. ${goesOn}`
    case 'failing':
      return `${folder} can't be written to (${reason}). Look after its drive. ${goesOn}`
    case 'damaged':
      return (
        `The database in ${folder} is damaged (${reason}), and nothing more is begun. Close StableNew and start it again: the damaged file is ` +
        'set aside then, the newest good backup takes its place, and newer images are read back from their own files.'
      )
  }
}
