import { describe, expect, test } from 'vitest'
import { parseCommandLine } from '../../../src-sidecar/cli/command-line.ts'
import { appVersion } from '../../../src-sidecar/config/version.ts'

function parse(line: string) {
  let out = ''
  let error = ''
  const args = line.split(' ').filter((word) => word !== '')
  const command = parseCommandLine(args, { out: (text) => (out += text), error: (text) => (error += text) })
  return { command, out, error }
}

describe('the app', () => {
  test('is what starts without a command', () => {
    expect(parse('')).toEqual({
      command: expect.objectContaining({
        kind: 'serve',
        shell: 'auto',
        watchStdin: false,
        hostLines: false,
        draftArgs: [],
      }),
      out: '',
      error: '',
    })
  })

  test('takes its options', () => {
    expect(parse('--shell browser --data-dir /d --watch-stdin --containment shim --host-lines').command).toMatchObject({
      kind: 'serve',
      shell: 'browser',
      dataDir: '/d',
      watchStdin: true,
      containment: 'shim',
      hostLines: true,
    })
  })

  test.each(['neutralino', 'browser', 'none', 'auto'])('can have the shell %s', (shell) => {
    expect(parse(`--shell ${shell}`).command).toMatchObject({ kind: 'serve', shell })
  })

  test('--headless is --shell none', () => {
    expect(parse('--headless').command).toMatchObject({ kind: 'serve', shell: 'none' })
  })
})

describe('run', () => {
  test('takes a pack and a folder', () => {
    const { command } = parse('run cats.txt --out images')
    expect(command).toMatchObject({
      kind: 'run',
      pack: 'cats.txt',
      out: 'images',
      set: [],
      sweep: [],
      dryRun: false,
      watchStdin: false,
    })
    expect(command).not.toHaveProperty('seed', expect.anything())
    expect(command).not.toHaveProperty('images', expect.anything())
  })

  test('takes how many and from which seed', () => {
    expect(parse('run cats.txt --out images --images 3 --seed 4294967295').command).toMatchObject({ images: 3, seed: 4294967295 })
    expect(parse('run --out images --seed 0 cats.txt').command).toMatchObject({ seed: 0, pack: 'cats.txt' })
  })

  test.each(['--data-dir /d run cats.txt --out o', 'run cats.txt --out o --data-dir /d'])(
    'heeds the common options: %s',
    (line) => {
      expect(parse(line).command).toMatchObject({ kind: 'run', dataDir: '/d' })
    },
  )

  test('heeds --watch-stdin and --containment before and behind it', () => {
    for (const line of [
      '--watch-stdin --containment group run a.txt --out o',
      'run a.txt --out o --watch-stdin --containment group',
    ]) {
      expect(parse(line).command, line).toMatchObject({ kind: 'run', watchStdin: true, containment: 'group' })
    }
  })
})

describe('what is wrong is said on stderr, and is exit code 2', () => {
  test.each([
    ['--shell window', /--shell/],
    ['--containment none', /--containment/],
    ['--nonsense', /--nonsense/],
    ['walk', /walk|arguments/],
    ['run --out o', /pack/],
    ['run cats.txt', /--out/],
    ['run cats.txt dogs.txt --out o', /arguments/],
    ['run cats.txt --out', /--out/],
    ['run cats.txt --out o --images 0', /--images takes a whole number from 1 to 1000, not "0"/],
    ['run cats.txt --out o --images 1.5', /--images/],
    ['run cats.txt --out o --images many', /not "many"/],
    ['run cats.txt --out o --images 1001', /--images/],
    ['run cats.txt --out o --seed=-1', /--seed takes a whole number from 0 to 4294967295/],
    ['run cats.txt --out o --seed 4294967296', /--seed/],
  ])('%s', (line, message) => {
    const { command, out, error } = parse(line)
    expect(command).toEqual({ kind: 'said', exitCode: 2 })
    expect(error).toMatch(message)
    expect(out).toBe('')
  })

  test.each(['', ' 7', '0x10', '1e3'])('a number %j is none', (number) => {
    const write = { out: () => {}, error: () => {} }
    expect(parseCommandLine(['run', 'a', '--out', 'o', '--seed', number], write)).toEqual({ kind: 'said', exitCode: 2 })
  })
})

describe('help', () => {
  test.each([
    ['--help', /run/],
    ['run --help', /--out <folder>/],
    ['--version', new RegExp(appVersion.replaceAll('.', '\\.'))],
  ])('%s is written, and is exit code 0', (line, text) => {
    const { command, out, error } = parse(line)
    expect(command).toEqual({ kind: 'said', exitCode: 0 })
    expect(out).toMatch(text)
    expect(error).toBe('')
  })

  test('does not show what is for tests and launchers', () => {
    expect(parse('--help').out).not.toMatch(/draft-args|host-lines/)
  })
})
