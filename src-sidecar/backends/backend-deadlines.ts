/** How long a server may take, in milliseconds. Tests shorten them. */
export interface BackendDeadlines {
  /** Until the whole answer to a small question. */
  readonly quickMs: number
  /** From the head of an answer to its last byte. */
  readonly bodyMs: number
  /** Until a server lets go of an interrupted image; then its answer is no longer waited for. */
  readonly interruptMs: number
  /** Without any sign that the image goes on, where the server gives such signs. */
  readonly stallMs: number
  /** For a whole image of a server that tells nothing while it works. */
  readonly imageMs: number
  /** How long a server in the middle of an image may be out of reach before the image is given up. */
  readonly lostMs: number
}

export const backendDeadlines: BackendDeadlines = {
  quickMs: 10_000,
  bodyMs: 120_000,
  interruptMs: 5000,
  stallMs: 10 * 60_000,
  imageMs: 60 * 60_000,
  lostMs: 5000,
}
