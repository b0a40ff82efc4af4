const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** A clock that runs: 0:07, 12:40, 1:02:03. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / second))
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const two = (n: number) => String(n).padStart(2, '0')
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** An estimate, no finer than it is honest: "a few seconds", "40 s", "3 min", "2 h 10 min". */
export function timeLeft(ms: number): string {
  if (ms < 5 * second) return 'a few seconds'
  if (ms < minute) return `${Math.ceil(ms / (5 * second)) * 5} s`
  if (ms < 59.5 * minute) return `${Math.round(ms / minute)} min`
  const minutes = Math.round(ms / (5 * minute)) * 5
  const [h, m] = [Math.floor(minutes / 60), minutes % 60]
  return h >= 10 || m === 0 ? `${Math.round(minutes / 60)} h` : `${h} h ${m} min`
}

/** The time of day: 17:42; with the day where it is not today. */
export function clockTime(ms: number, nowMs = Date.now()): string {
  const date = new Date(ms)
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  const isToday = date.toDateString() === new Date(nowMs).toDateString()
  return isToday ? time : `${date.toLocaleDateString('en-GB', { weekday: 'short' })} ${time}`
}

/** How long something took: 0.8 s, 12 s, 3 min 20 s. */
export function duration(ms: number): string {
  if (ms < 10 * second) return `${(ms / second).toFixed(1)} s`
  if (ms < minute) return `${Math.round(ms / second)} s`
  const seconds = Math.round(ms / second)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} min`
}

export function ago(thenMs: number, nowMs: number): string {
  const ms = nowMs - thenMs
  if (ms < 45 * second) return 'just now'
  if (ms < hour) return `${Math.max(1, Math.round(ms / minute))} min ago`
  if (ms < day) return `${Math.round(ms / hour)} h ago`
  return new Date(thenMs).toLocaleDateString(undefined, { day: 'numeric', month: 'short' })
}

/** The heading over a day's images. */
export function dayName(thenMs: number, nowMs: number): string {
  const startOf = (ms: number) => new Date(ms).setHours(0, 0, 0, 0)
  const days = Math.round((startOf(nowMs) - startOf(thenMs)) / day)
  if (days <= 0) return 'Today'
  if (days === 1) return 'Yesterday'
  const year = new Date(thenMs).getFullYear() === new Date(nowMs).getFullYear() ? undefined : 'numeric'
  return new Date(thenMs).toLocaleDateString('en', { weekday: 'long', day: 'numeric', month: 'long', year })
}

export function fileSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1e6) return `${Math.round(bytes / 1000)} kB`
  return `${(bytes / 1e6).toFixed(1)} MB`
}

/** Memory, as other tools count it: 182 MB, 1.4 GB. */
export function megabytes(bytes: number): string {
  const mb = bytes / 2 ** 20
  if (mb > 0 && mb < 10) return `${mb.toFixed(1)} MB`
  return mb < 1000 ? `${Math.round(mb)} MB` : `${(mb / 1024).toFixed(1)} GB`
}

export const count = (n: number, one: string, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`

/** Of what can be more than can be read: 1,200, then 12 million, 3.4 trillion, 10^18. */
export function bigCount(n: bigint): string {
  if (n < 10_000_000n) return n.toLocaleString('en')
  const digits = String(n).length - 1
  if (digits >= 15) return `10^${digits}`
  const [unit, name] = digits >= 12 ? [1e12, 'trillion'] : digits >= 9 ? [1e9, 'billion'] : [1e6, 'million']
  const value = Number(n) / unit
  return `${value < 10 ? value.toFixed(1).replace('.0', '') : Math.floor(value)} ${name}`
}

/** The start of a prompt, cut at a word. */
export function promptStart(prompt: string, length = 80): string {
  if (prompt.length <= length) return prompt
  const cut = prompt.slice(0, length)
  const space = cut.lastIndexOf(' ')
  return `${(space > length / 2 ? cut.slice(0, space) : cut).replace(/[\s,.;:]+$/, '')}…`
}
