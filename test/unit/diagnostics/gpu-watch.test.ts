import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { parseGpuLine } from '../../../src-sidecar/diagnostics/gpu-lines.ts'
import { GpuWatch } from '../../../src-sidecar/diagnostics/gpu-watch.ts'
import { Containment } from '../../../src-sidecar/processes/spawn-contained.ts'
import { projectFolder } from '../../helpers/sidecar.ts'
import { commandLine, liveDescendants, takeBaseline } from '../../helpers/survivors.ts'
import { tempDir } from '../../helpers/temp-dir.ts'
import { waitFor } from '../../helpers/wait-for.ts'

const mib = 2 ** 20

describe('a line of nvidia-smi', () => {
  it.each([
    ['GPU-6ea63bb0-1ab2-3cd4-5ef6-0123456789ab, 4711, 5120', 4711, 5120 * mib],
    ['MIG-6ea63bb0-1ab2-3cd4-5ef6-0123456789ab, 12, 3', 12, 3 * mib],
    ['GPU-6ea63bb0-1ab2-3cd4-5ef6-0123456789ab, 4711, [N/A]', 4711, null],
    ['GPU-6ea63bb0-1ab2-3cd4-5ef6-0123456789ab, 4711, [Insufficient Permissions]', 4711, null],
  ])('%s', (text, pid, vramBytes) => {
    expect(parseGpuLine(text)).toMatchObject({ pid, vramBytes })
  })

  it.each([
    '',
    'No devices were found',
    'gpu_uuid, pid, used_gpu_memory [MiB]',
    'NVIDIA-SMI has failed because it couldn’t communicate with the NVIDIA driver.',
    'GPU-6ea63bb0-1ab2-3cd4-5ef6-0123456789ab, [N/A], 12',
  ])('"%s" tells of no process', (text) => {
    expect(parseGpuLine(text)).toBeNull()
  })
})

describe.skipIf(process.platform === 'win32')('the watch of video memory', () => {
  const baseline = takeBaseline()
  const logger = pino({ level: 'silent' })
  let containment: Containment
  afterEach(async () => {
    await containment.terminateAll(new AbortController().signal)
    await baseline.expectNothingLeft()
  })

  const watchWith = (path: string, more: Record<string, string> = {}) => {
    const env = { ...process.env, PATH: path, ...more }
    containment = new Containment({ dataDir: tempDir('gpu'), runToken: 'gpu', level: 'auto', env, logger })
    return new GpuWatch({ containment, env, everyMs: 200, logger })
  }
  const smi = () => liveDescendants().filter(({ pid }) => commandLine(pid).includes('programs/gpu/nvidia-smi'))

  it('sums what a process has on all cards, forgets what is gone, and leaves nothing when it stops', async () => {
    const folder = tempDir('gpu-lines')
    const [lines, asked] = [join(folder, 'lines'), join(folder, 'arguments')]
    writeFileSync(lines, 'GPU-a, 11, 1000\nGPU-b, 11, 24\nGPU-a, 12, [N/A]\n')
    const path = `${join(projectFolder, 'test/fixtures/programs/gpu')}:${process.env.PATH}`
    const watch = watchWith(path, { GPU_LINES: lines, GPU_ARGUMENTS: asked })
    watch.start()
    watch.start()
    await waitFor(() => watch.vramBytesOf(11) === 1024 * mib, 'the memory on both cards')
    // The shell forks for each of its commands, so that there may be two of it for a moment.
    expect(smi().length).toBeGreaterThan(0)
    expect(containment.processes).toHaveLength(1)
    expect(readFileSync(asked, 'utf8').trim()).toBe(
      '--query-compute-apps=gpu_uuid,pid,used_memory --format=csv,noheader,nounits --loop-ms=200',
    )
    expect(watch.vramBytesOf(12)).toBeNull()
    expect(watch.vramBytesOf(13)).toBeNull()

    writeFileSync(lines, 'GPU-a, 11, 10\n')
    await waitFor(() => watch.vramBytesOf(11) === 10 * mib, 'the second card to be forgotten')
    await watch.stop()
    expect(smi()).toHaveLength(0)
    expect(watch.vramBytesOf(11)).toBeNull()
  })

  it('says nothing and starts nothing where there is no nvidia-smi', async () => {
    const watch = watchWith(tempDir('empty'))
    watch.start()
    await watch.stop()
    expect(watch.vramBytesOf(process.pid)).toBeNull()
    expect(containment.processes).toHaveLength(0)
  })
})
