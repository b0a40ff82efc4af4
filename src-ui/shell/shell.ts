/** What the page can't do by itself: find the sidecar, open what lies outside, close the window. */
export interface Shell {
  readonly kind: 'browser' | 'neutralino'
  /** Resolves when the sidecar can be asked; starts it where the shell is the one who starts it. */
  connect(): Promise<Connected>
  /** Absent where the sidecar opens folders (`POST /api/open`). */
  openFolder?(path: string): Promise<void>
  /** Starts the sidecar anew and loads the page again. Absent where only the user can start it. Rejects with a sentence for the user. */
  restart?(): Promise<void>
  /** Brings the window to the front. */
  front(): void
  /** Ends the window. May do nothing: then the page says that it can be closed. */
  exitWindow(): void
}

export interface Connected {
  /** Without a slash at the end. */
  baseUrl: string
  /** Empty where a cookie stands for it. */
  token: string
}
