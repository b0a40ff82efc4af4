import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const mostChars = 64 * 1024

/**
 * What the user has set as COMMANDLINE_ARGS in `webui-user.sh` or `.bat`: A1's launcher scripts read it, and Python does
 * not. Without the port, `--api`, and what opens a browser, which are ours to say.
 * @returns null where it is made of variables, which only a shell can tell.
 */
export async function userArguments(folder: string, platform: NodeJS.Platform): Promise<string[] | null> {
  const windows = platform === 'win32'
  const text = await readFile(join(folder, windows ? 'webui-user.bat' : 'webui-user.sh'), 'utf8').catch(() => '')
  const line = windows
    ? /^[ \t]*set[ \t]+(?:"COMMANDLINE_ARGS=(.*)"|COMMANDLINE_ARGS=(.*?))\s*$/im
    : /^[ \t]*(?:export[ \t]+)?COMMANDLINE_ARGS=(?:"(.*)"|'(.*)'|(.*?))\s*$/m
  const value = (text.slice(0, mostChars).match(line) ?? []).slice(1).find((part) => part !== undefined) ?? ''
  if (windows ? value.includes('%') : /[$`]/.test(value)) return null
  const words = (value.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) =>
    word.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'),
  )
  return words.filter((word, index) => !ours.includes(word) && !/^--port=/.test(word) && words[index - 1] !== '--port')
}

const ours = ['--api', '--port', '--autolaunch']
