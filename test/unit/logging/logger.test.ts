import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../../src-sidecar/errors/app-error.ts'
import { type Logger, openLog, redactUrl } from '../../../src-sidecar/logging/logger.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

async function written(
  write: (logger: Logger) => void,
): Promise<{ text: string; lines: Record<string, unknown>[]; path: string }> {
  const folder = tempDir('log')
  const log = openLog(folder, 'stablenew.log')
  write(log.logger)
  await log.close()
  const path = join(folder, 'stablenew.log')
  const text = readFileSync(path, 'utf8')
  return {
    text,
    path,
    lines: text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  }
}

test('what was logged is in the file when it is closed, one line of JSON each', async () => {
  const { lines } = await written((logger) => {
    for (let at = 0; at < 500; at++) logger.info({ at }, 'line')
  })
  expect(lines).toHaveLength(500)
  expect(lines.at(-1)).toMatchObject({ name: 'stablenew', at: 499, msg: 'line', time: expect.stringMatching(/^20.*Z$/) })
})

test.runIf(process.platform !== 'win32')('the file is for its owner only', async () => {
  const { path } = await written((logger) => logger.info('hi'))
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

const secret = 'S3cr3t-Val_ue'
const url = `http://127.0.0.1:4711/?token=${secret}&page=2`

describe('a secret never reaches the file', () => {
  test.each<[string, (logger: Logger) => void]>([
    ['in a URL of the message', (logger) => logger.info(`open ${url}`)],
    ['in a URL of an argument', (logger) => logger.info('open %s', url)],
    ['in a URL in an object', (logger) => logger.info({ url, deep: { list: [url] } }, 'open')],
    ['in a URL of an error', (logger) => logger.error({ err: new Error(`GET ${url} failed`) }, 'failed')],
    [
      'in a URL with user and password',
      (logger) => logger.info({ url: `http://me:${secret}@host/` }, `http://me:${secret}@host/`),
    ],
    ['in JSON in a text', (logger) => logger.info({ line: JSON.stringify({ url }) }, 'said')],
    ['as a token', (logger) => logger.info({ token: secret }, 'instance')],
    ['one level down', (logger) => logger.info({ instance: { token: secret, nlToken: secret } }, 'instance')],
    ['four levels down', (logger) => logger.info({ a: { b: { c: { password: secret, headers: { cookie: secret } } } } }, 'deep')],
    ['in a list', (logger) => logger.info({ list: [{ accessToken: secret }] }, 'list')],
    [
      'in the data of an error',
      (logger) => logger.error({ err: new AppError('conflict', 'no', { data: { instance: { token: secret } } }) }),
    ],
    [
      'as a header',
      (logger) => logger.info({ headers: { authorization: `Bearer ${secret}`, Authorization: secret } }, 'headers'),
    ],
    ['of a child logger', (logger) => logger.child({ token: secret, from: url }).info('child')],
    ['with quotes in it', (logger) => logger.info({ a: { b: { c: { password: `a"b\\${secret}` } } } }, 'quoted')],
  ])('%s', async (_, write) => {
    const { text, lines } = await written(write)
    expect(text).not.toContain(secret)
    expect(text).toContain('…')
    expect(lines).toHaveLength(1)
  })

  test('and the rest of the line is as it was', async () => {
    const { lines } = await written((logger) =>
      logger.info({ server: 'http://host:7860', mail: 'a@b', text: `say "${url}"`, token: 'x' }, 'whole'),
    )
    expect(lines[0]).toMatchObject({
      server: 'http://host:7860',
      mail: 'a@b',
      text: 'say "http://127.0.0.1:4711/?token=…&page=2"',
      token: '…',
      msg: 'whole',
    })
  })
})

test.each([
  [url, 'http://127.0.0.1:4711/?token=…&page=2'],
  ['ws://h:1/?a=b&connectToken=abc', 'ws://h:1/?a=b&connectToken=…'],
  ['http://me:pw@host/x', 'http://me:…@host/x'],
  ['https://host:7860/a@b', 'https://host:7860/a@b'],
  ['nothing secret', 'nothing secret'],
])('%s is told as %s', (text, told) => {
  expect(redactUrl(text)).toBe(told)
})
