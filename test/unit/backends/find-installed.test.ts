import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { findInstalled } from '../../../src-sidecar/backends/find-installed.ts'
import { usualPlaces } from '../../../src-sidecar/backends/installed/usual-places.ts'
import { foundBackendsSchema } from '../../../src-sidecar/contract/found-backend.ts'
import { tempDir } from '../../helpers/temp-dir.ts'

/** Files below a new folder; a name that ends in `/` is a folder, `python` and `.exe` can be run. */
function machine(...files: (string | [string, string])[]): string {
  const root = tempDir('machine')
  for (const file of files) {
    const [name, text] = typeof file === 'string' ? [file, ''] : file
    const path = join(root, name)
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true })
    if (name.endsWith('/')) continue
    writeFileSync(path, text)
    if (/python|\.exe$/.test(name)) chmodSync(path, 0o755)
  }
  return root
}

const find = async (root: string, more: Partial<Parameters<typeof findInstalled>[0]> = {}) =>
  foundBackendsSchema.parse(
    await findInstalled({
      roots: [root],
      platform: 'linux',
      isTaken: async () => false,
      signal: AbortSignal.timeout(5000),
      ...more,
    }),
  )

const webui = (folder: string, ...more: string[]) => [`${folder}/launch.py`, `${folder}/webui.py`, `${folder}/modules/`, ...more]
const comfyui = (folder: string, ...more: string[]) => [`${folder}/main.py`, `${folder}/nodes.py`, `${folder}/comfy/`, ...more]
const env = { SD_WEBUI_RESTARTING: '1' }

test('an AUTOMATIC1111 is started by the Python of its venv, with its own arguments and without its shell script', async () => {
  const root = machine(...webui('stable-diffusion-webui', 'stable-diffusion-webui/venv/bin/python'), [
    'stable-diffusion-webui/webui-user.sh',
    '#export COMMANDLINE_ARGS="--lowvram"\nexport COMMANDLINE_ARGS="--medvram --api --port 9999 --ckpt-dir \'/my models\'"\n',
  ])
  const folder = join(root, 'stable-diffusion-webui')
  expect(await find(root)).toEqual({
    complete: true,
    found: [
      {
        kind: 'sdapi',
        name: 'AUTOMATIC1111',
        folder,
        url: 'http://127.0.0.1:7860',
        managed: {
          command: join(folder, 'venv/bin/python'),
          args: ['launch.py', '--api', '--port', '7860', '--medvram', '--ckpt-dir', '/my models'],
          cwd: folder,
          env,
          startupLimitS: 900,
          startAtLaunch: false,
        },
        why: expect.stringMatching(/Python of its venv.*own COMMANDLINE_ARGS/),
      },
    ],
  })
})

test.each([
  ['Forge', webui('stable-diffusion-webui-forge', 'stable-diffusion-webui-forge/modules_forge/')],
  ['reForge', webui('stable-diffusion-webui-reForge', 'stable-diffusion-webui-reForge/modules_forge/')],
  ['AUTOMATIC1111', webui('a1111')],
])('a %s is told by what lies in it', async (name, files) => {
  const folder = files[0]!.split('/')[0]!
  const { found } = await find(machine(...files, `${folder}/venv/bin/python`))
  expect(found).toMatchObject([{ name, kind: 'sdapi', managed: { args: ['launch.py', '--api', '--port', '7860'], env } }])
})

test('SD.Next is started without --api, which is always on there and would take the next word for its value', async () => {
  const { found } = await find(machine(...webui('automatic', 'automatic/installer.py', 'automatic/venv/bin/python')))
  expect(found).toMatchObject([{ name: 'SD.Next', managed: { args: ['launch.py', '--port', '7860'], env: {} } }])
})

test('a ComfyUI is started by the Python of its .venv, and opens no browser', async () => {
  const root = machine(...comfyui('ComfyUI', 'ComfyUI/.venv/bin/python'))
  expect((await find(root)).found).toMatchObject([
    {
      kind: 'comfyui',
      name: 'ComfyUI',
      url: 'http://127.0.0.1:8188',
      managed: { command: join(root, 'ComfyUI/.venv/bin/python'), args: ['main.py', '--port', '8188', '--disable-auto-launch'] },
    },
  ])
})

test('what comes as a whole for Windows is started as its .bat does, by the Python that came with it', async () => {
  const portable = 'Downloads/ComfyUI_windows_portable'
  const root = machine(
    ...comfyui(`${portable}/ComfyUI`, `${portable}/python_embeded/python.exe`),
    ...webui('webui_forge_cu121/webui', 'webui_forge_cu121/webui/modules_forge/', 'webui_forge_cu121/system/python/python.exe'),
    ['webui_forge_cu121/webui/webui-user.bat', '@echo off\r\nset COMMANDLINE_ARGS=--xformers "--ckpt-dir=D:\\my models"\r\n'],
    ...webui('sd/a1', 'sd/a1/venv/Scripts/python.exe'),
  )
  const { found } = await find(root, { platform: 'win32' })
  const by = (name: string) => found.find((one) => one.name === name)?.managed
  expect(by('ComfyUI')).toMatchObject({
    command: join(root, portable, 'python_embeded/python.exe'),
    args: ['-s', join('ComfyUI', 'main.py'), '--windows-standalone-build', '--port', '8188', '--disable-auto-launch'],
    cwd: join(root, portable),
  })
  expect(by('Forge')).toMatchObject({
    command: join(root, 'webui_forge_cu121/system/python/python.exe'),
    args: ['launch.py', '--api', '--port', expect.any(String), '--xformers', '--ckpt-dir=D:\\my models'],
    env: { ...env, SKIP_VENV: '1', GIT: join(root, 'webui_forge_cu121/system/git/bin/git.exe') },
  })
  expect(by('AUTOMATIC1111')?.command).toBe(join(root, 'sd/a1/venv/Scripts/python.exe'))
})

test('one that was never started is named, with what to do, and is not offered to be started', async () => {
  const root = machine(...webui('fresh'), ...webui('moved', 'moved/venv/bin/'))
  symlinkSync('/no/such/python', join(root, 'moved/venv/bin/python'))
  const { found } = await find(root)
  expect(found.map(({ managed }) => managed)).toEqual([null, null])
  expect(found[0]!.why).toMatch(/no Python of its own .*Start it once by webui\.sh/)
})

test('arguments that only a shell can tell are left out, and that is said', async () => {
  const root = machine(...webui('a1', 'a1/venv/bin/python'), ['a1/webui-user.sh', 'export COMMANDLINE_ARGS="--port $PORT"\n'])
  expect((await find(root)).found).toMatchObject([
    { managed: { args: ['launch.py', '--api', '--port', '7860'] }, why: expect.stringContaining('could not be read: add them') },
  ])
})

test('each gets a port of its own that nobody listens at, and those that can be started come first', async () => {
  const one = (folder: string) => webui(folder, `${folder}/venv/bin/python`)
  const root = machine(...webui('a'), ...one('b'), ...one('c'))
  const { found } = await find(root, { isTaken: async (port) => port === 7860 })
  expect(found.map(({ folder, url }) => [folder.at(-1), url.slice(-4)])).toEqual([
    ['b', '7861'],
    ['c', '7862'],
    ['a', '7861'],
  ])
})

test('Stability Matrix and Pinokio are looked into, deeper than folders with other names', async () => {
  const root = machine(
    ...comfyui('StabilityMatrix/Data/Packages/ComfyUI'),
    ...webui('pinokio/api/forge.git/app'),
    ...webui('holidays/2020/august/launch'),
    ...webui('.hidden'),
    ...webui('node_modules/webui'),
  )
  const { found } = await find(root)
  expect(found.map(({ folder }) => folder.slice(root.length + 1))).toEqual(
    expect.arrayContaining(['StabilityMatrix/Data/Packages/ComfyUI', 'pinokio/api/forge.git/app']),
  )
  expect(found).toHaveLength(2)
})

test('a circle of links comes to an end, and what two ways lead to is told once', async () => {
  const root = machine(...webui('real/sd/webui', 'real/sd/webui/venv/bin/python'))
  symlinkSync(root, join(root, 'real/sd/back'))
  symlinkSync(join(root, 'real/sd/webui'), join(root, 'webui'))
  const { found, complete } = await find(root, { roots: [root, join(root, 'real'), join(root, 'no such folder')] })
  expect([found.length, complete]).toEqual([1, true])
})

test('a search whose time is up gives what it has, and says that it is not all', async () => {
  expect(await find(machine(...webui('a')), { signal: AbortSignal.abort() })).toEqual({ found: [], complete: false })
})

test('the usual places are the same on every system: home, its folders, the drives, Stability Matrix', () => {
  expect(usualPlaces('/home/me', 'linux', {})).toEqual(expect.arrayContaining(['/home/me', '/home/me/Downloads', '/opt']))
  const windows = usualPlaces('C:\\Users\\me', 'win32', { APPDATA: 'C:\\Users\\me\\AppData\\Roaming' })
  expect(windows).toContain('D:\\')
  expect(windows.some((place) => /StabilityMatrix.Packages$/.test(place))).toBe(true)
})
