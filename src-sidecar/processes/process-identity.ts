/** A process that can't be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  pid: number
  /** The operating system's start time, opaque: only ever compared. */
  startTime: string
  bootId: string
}
