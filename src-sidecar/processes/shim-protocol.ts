/** What the sidecar tells a shim. The channel itself is the lifeline: its end means that the sidecar is gone. */
export type ToShim =
  | {
      type: 'start'
      command: string
      args: string[]
      cwd: string
      env: Record<string, string>
      /** Sent one after another, evenly over the grace. */
      signals: NodeJS.Signals[]
      graceMs: number
      /** Path of setpriv, to tie the command's life to the shim's; undefined where it is missing. */
      setpriv?: string | undefined
      /** For a process that may outlive the sidecar. */
      persistent?: { socket: string; logFile: string } | undefined
    }
  | { type: 'terminate' }
  /** No grace, or no more of it. */
  | { type: 'kill' }
  /** The end of this channel is not the end of the sidecar's wish: go on, and listen for the next one. */
  | { type: 'release' }

export type FromShim =
  /** `pid` as the shim sees it: in a PID namespace that is the inner number. */
  | { type: 'started'; pid: number }
  | { type: 'spawn_failed'; message: string }
  | { type: 'released' }
  /** The answer to a sidecar that connected: it holds the lifeline now. */
  | { type: 'adopted' }
  | { type: 'leader_exited'; exitCode: number | null; signal: string | null }
  | { type: 'step'; name: string; ms: number }
  /** Nothing of the tree is left. The shim ends itself after this. */
  | { type: 'empty'; killed: boolean }
