import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { ImageArchive } from '../../../src-sidecar/history/image-archive.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

let root: string
let archive: ImageArchive

beforeEach(() => {
  root = join(tempDir('archive'), 'images')
  archive = new ImageArchive(root)
})

const all = () => readdirSync(root, { recursive: true, withFileTypes: true }).flatMap((one) => (one.isFile() ? [one.name] : []))

describe('an image', () => {
  test('is written under its name, in folders that are made for it', async () => {
    const file = await archive.save(Buffer.from('picture'), '2026-01-31/cats/001.png')
    expect(file).toEqual({ path: join(root, '2026-01-31', 'cats', '001.png'), sizeBytes: 7 })
    expect(readFileSync(file.path, 'utf8')).toBe('picture')
    expect(all()).toEqual(['001.png'])
  })

  test.runIf(process.platform !== 'win32')('and its folders are for their owner only', async () => {
    const { path } = await archive.save(Buffer.from('picture'), 'cats/001.png')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(root, 'cats')).mode & 0o777).toBe(0o700)
    expect(statSync(path).nlink).toBe(1)
  })

  test('never replaces a file that is there: its name gets a number', async () => {
    const paths: string[] = []
    for (const text of ['one', 'two', 'three']) paths.push((await archive.save(Buffer.from(text), 'cat.v2.png')).path)
    expect(paths).toEqual(['cat.v2.png', 'cat.v2-2.png', 'cat.v2-3.png'].map((name) => join(root, name)))
    expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(['one', 'two', 'three'])
  })

  test('whose row could not be written is gone, and the error is the one of the row', async () => {
    await archive.save(Buffer.from('picture'), 'cat.png', () => false)
    const full = new Error('database or disk is full')
    const saving = archive.save(Buffer.from('picture'), 'cat.png', () => {
      throw full
    })
    await expect(saving).rejects.toBe(full)
    expect(all()).toEqual([])
  })
})

describe('where nothing can be written', () => {
  test('the error says where, and nothing is left', async () => {
    mkdirSync(root)
    writeFileSync(join(root, 'cats'), 'in the way')
    await expect(archive.save(Buffer.from('picture'), 'cats/001.png')).rejects.toMatchObject({
      code: 'disk',
      message: expect.stringContaining(join(root, 'cats', '001.png')),
    })
    expect(all()).toEqual(['cats'])
  })

  test('a name that is too long leaves nothing either', async () => {
    await expect(archive.save(Buffer.from('picture'), `${'x'.repeat(250)}.png`)).rejects.toMatchObject({ code: 'disk' })
    await expect(archive.save(Buffer.from('picture'), `${'x'.repeat(300)}/a.png`)).rejects.toMatchObject({ code: 'disk' })
    expect(all()).toEqual([])
  })

  test.runIf(process.platform !== 'win32' && process.getuid?.() !== 0)('a folder that we may not write to', async () => {
    mkdirSync(root, { mode: 0o500 })
    await expect(archive.save(Buffer.from('picture'), '001.png')).rejects.toMatchObject({ code: 'disk' })
    chmodSync(root, 0o700)
    expect(all()).toEqual([])
  })
})

describe('leftovers of a crash', () => {
  test('are removed wherever they lie, and nothing else is', async () => {
    const { path } = await archive.save(Buffer.from('picture'), 'day/cats/001.png')
    for (const name of ['a.png.999999998.stablenew-part', 'day/cats/002.png.999999999.stablenew-part'])
      writeFileSync(join(root, name), 'half')
    writeFileSync(join(root, 'mine.part'), 'mine')
    expect(await archive.removeLeftovers()).toBe(2)
    expect(all().toSorted()).toEqual(['001.png', 'mine.part'])
    expect(existsSync(path)).toBe(true)
    expect(await archive.removeLeftovers()).toBe(0)
  })

  test('between an image and its row are removed: the image is made again, and must not be there twice', async () => {
    const crashed = join(tempDir('crashed'), 'images')
    await archive.save(Buffer.from('an earlier one'), 'cat.png')
    await archive.save(Buffer.from('picture'), 'cat.png', () => {
      cpSync(root, crashed, { recursive: true })
      return true
    })
    const left = () => readdirSync(crashed).toSorted()
    expect(left()).toEqual(['cat-2.png', 'cat.png', `cat.png.${process.pid}.stablenew-part`])
    const twice = `${crashed}-recorded`
    cpSync(crashed, twice, { recursive: true })
    expect(await new ImageArchive(crashed).removeLeftovers((path) => path === join(crashed, 'cat.png'))).toBe(1)
    expect(left()).toEqual(['cat.png'])
    expect(await new ImageArchive(twice).removeLeftovers(() => true)).toBe(1)
    expect(readdirSync(twice).toSorted()).toEqual(['cat-2.png', 'cat.png'])
  })

  test('are none where there is no folder', async () => {
    expect(await archive.removeLeftovers()).toBe(0)
  })
})

test('a file that another run is writing into the same folder is no leftover', async () => {
  const folder = tempDir('archive')
  const other = spawn('sleep', ['60'])
  try {
    const [theirs, stale] = [join(folder, `a.png.${other.pid}.stablenew-part`), join(folder, 'b.png.999999999.stablenew-part')]
    for (const path of [theirs, stale]) writeFileSync(path, 'half')
    await new ImageArchive(folder).removeLeftovers(() => false)
    expect(existsSync(theirs)).toBe(true)
    expect(existsSync(stale)).toBe(false)
  } finally {
    other.kill('SIGKILL')
    await once(other, 'exit')
  }
})
