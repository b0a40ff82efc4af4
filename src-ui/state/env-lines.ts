import { managedSettingsSchema } from '../../src-sidecar/contract/settings.ts'

type Env = Readonly<Record<string, string>>

/** Reads lines like `NAME=value`; empty ones are passed over. What is wrong is a sentence that names the line. */
export function envOf(text: string): { env: Env } | { problem: string } {
  const env: Record<string, string> = {}
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    const at = line.indexOf('=')
    const name = line.slice(0, at).trim()
    if (at < 0 || name === '') return { problem: `Line ${index + 1} is not like NAME=value.` }
    if (name in env) return { problem: `Line ${index + 1} sets ${name} a second time.` }
    const value = line.slice(at + 1)
    if (!managedSettingsSchema.shape.env.safeParse({ [name]: value }).success)
      return { problem: `Line ${index + 1} is too long, or holds what can't be in it.` }
    env[name] = value
  }
  return { env }
}

/** The lines that `envOf` reads as this. */
export const linesOf = (env: Env): string =>
  Object.entries(env)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')
