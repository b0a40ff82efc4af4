import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { foldersFor, makeFolders } from '../../../src-sidecar/config/folders.ts'
import { readInstance, removeInstance, writeInstance } from '../../../src-sidecar/config/instance-file.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

const platform = { data: '/p/data', config: '/p/config', cache: '/p/cache', log: '/p/log' }

test('without --data-dir everything lies where the platform says', () => {
  expect(foldersFor(platform)).toEqual({
    data: '/p/data',
    config: '/p/config',
    cache: '/p/cache',
    log: '/p/log',
    images: join('/p/data', 'images'),
    packs: join('/p/data', 'packs'),
    backups: join('/p/data', 'backups'),
  })
})

test('--data-dir takes everything, and a relative one is made absolute', () => {
  const root = resolve('here')
  for (const folder of Object.values(foldersFor(platform, 'here'))) expect(folder.startsWith(root)).toBe(true)
})

test.runIf(process.platform !== 'win32')('the folders are for their owner only', async () => {
  const root = join(tempDir('folders'), 'new')
  const folders = foldersFor(platform, root)
  makeFolders(folders)
  makeFolders(folders)
  for (const folder of Object.values(folders)) expect(statSync(folder).mode & 0o777).toBe(0o700)
})

test('the instance file is read again, and is for its owner only', async () => {
  const folder = tempDir('instance')
  const instance = { pid: 42, url: 'http://127.0.0.1:4711', token: 'secret' }
  await writeInstance(folder, instance)
  expect(await readInstance(folder)).toEqual(instance)
  if (process.platform !== 'win32') expect(statSync(join(folder, 'instance.json')).mode & 0o777).toBe(0o600)
  await removeInstance(folder)
  await removeInstance(folder)
  expect(readdirSync(folder)).toEqual([])
})

test.each(['', 'null', '{"pid":"1"}', '{"pid":1,"url":"no","token":""}'])('an instance file of %j says nothing', async (text) => {
  const folder = tempDir('instance')
  writeFileSync(join(folder, 'instance.json'), text)
  expect(await readInstance(folder)).toBeNull()
})
