import { AppError } from '../../errors/app-error.ts'

/** Windows keeps these for devices, whatever ending follows. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const forbidden = /[\\/:*?"<>|\u0000-\u001f]/

/** A name that every system takes for a file. @throws AppError `bad_request` */
export function checkedName(wanted: string): string {
  const name = wanted.trim()
  const found = forbidden.exec(name)?.[0]
  if (name === '') throw bad('A pack needs a name.')
  if (found !== undefined) throw bad(`The name of a pack can't have ${JSON.stringify(found)}: it is the name of its file.`)
  if (name.length > 100) throw bad('The name of a pack has at most 100 characters.')
  if (name.startsWith('.') || name.endsWith('.')) throw bad("The name of a pack can't start or end with a dot.")
  if (reserved.test(name)) throw bad(`"${name}" is a device on Windows. Choose another name.`)
  return name
}

const bad = (message: string): AppError => new AppError('bad_request', message)
