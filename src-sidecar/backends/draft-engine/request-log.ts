import { appendFileSync } from 'node:fs'

/** One request. `taskId` and `seed` are null where a request has none. */
export interface RequestRecord {
  readonly method: string
  readonly path: string
  readonly taskId: string | null
  readonly seed: number | null
}

export type RequestLog = (record: RequestRecord) => void

/** Appends each request as a line of JSON with its time, at once, so that a killed engine's log is complete. null: no log. */
export function createRequestLog(file: string | null): RequestLog {
  if (file === null) return () => {}
  appendFileSync(file, '')
  return (record) => appendFileSync(file, `${JSON.stringify({ time: new Date().toISOString(), ...record })}\n`)
}
