import { describe, expect, it } from 'vitest'
import { OutputLines } from '../../../src-sidecar/processes/output-lines.ts'

const read = (...chunks: (string | Buffer)[]) => {
  const heard: string[] = []
  const lines = new OutputLines((_stream, line) => heard.push(line))
  const reader = lines.reader('stdout')
  for (const chunk of chunks) reader.write(Buffer.from(chunk as string))
  reader.end()
  return { heard, kept: lines.lastLines() }
}

describe('output lines', () => {
  it('come out whole, however the chunks are cut', () => {
    expect(read('on', 'e\ntw', 'o\n', '\nthree').heard).toEqual(['one', 'two', '', 'three'])
  })

  it('keep a character that is cut in the middle', () => {
    const text = Buffer.from('größe\n')
    expect(read(text.subarray(0, 3), text.subarray(3)).heard).toEqual(['größe'])
  })

  it('take Windows line ends as one, also when they are cut in two', () => {
    expect(read('one\r\ntwo\r', '\nthree\r\n').heard).toEqual(['one', 'two', 'three'])
  })

  it('keep one line of a progress bar and tell all of them', () => {
    const { heard, kept } = read('start\n', ' 10%\r', ' 20%\r 30%\r', 'done\n')
    expect(heard).toEqual(['start', ' 10%', ' 20%', ' 30%', 'done'])
    expect(kept).toEqual(['start', 'done'])
  })

  it('are the last 200 only', () => {
    const { kept } = read(Array.from({ length: 1000 }, (_, i) => `line ${i}\n`).join(''))
    expect(kept).toHaveLength(200)
    expect(kept.at(-1)).toBe('line 999')
  })

  it('cut an endless line at 8,192 characters and lose nothing of it', () => {
    const { heard } = read('x'.repeat(20_000))
    expect(heard.map(({ length }) => length)).toEqual([8192, 8192, 3616])
  })
})
