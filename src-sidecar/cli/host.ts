/** What the sidecar says to whoever started it: lines of JSON for a launcher or a shell, else text for a person. */
export interface Host {
  ready(address: { url: string; port: number; token: string; runId: string }): void
  /** Something that the user wants opened: it must not run below us, so the launcher does it. */
  open(target: string): void
  notice(message: string): void
}

export function createHost(lines: boolean, write: (text: string) => void): Host {
  const say = (kind: string, data: object) => write(`${JSON.stringify({ stablenew: kind, ...data })}\n`)
  if (lines) {
    return {
      ready: (address) => say('ready', address),
      open: (target) => say('open', { target }),
      notice: (message) => say('notice', { message }),
    }
  }
  return {
    ready: ({ url }) => write(`StableNew is ready: ${url}\n`),
    open: (target) => write(`Open this: ${target}\n`),
    notice: (message) => write(`${message}\n`),
  }
}
