import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { findCommand } from '../../../src-sidecar/processes/find-command.ts'
import { readProcessStat } from '../../../src-sidecar/processes/process-stat.ts'
import { readProcessTable } from '../../../src-sidecar/processes/process-table.ts'
import { readPs } from '../../../src-sidecar/processes/ps-stats.ts'
import { signalIfSame } from '../../../src-sidecar/processes/signal-if-same.ts'
import { waitFor } from '../../helpers/wait-for.ts'

describe.skipIf(process.platform !== 'linux')('the process table', () => {
  it('shows what runs below this process, with memory and time', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    try {
      const row = (await waitFor(
        () => readProcessTable().find(({ pid, rssBytes, cpuMs }) => pid === child.pid && rssBytes > 20e6 && cpuMs > 0),
        'the child with its memory and time',
      ))!
      expect(row).toMatchObject({ parentPid: process.pid, name: expect.stringMatching(/node|MainThread/) })
      expect(row.rssBytes).toBeLessThan(500e6)
      expect(row.threads).toBeGreaterThan(1)
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    expect(readProcessTable().some(({ pid }) => pid === child.pid)).toBe(false)
  })

  it('says the same by ps, the way of other systems', () => {
    const [own] = readPs(process.pid)
    const stat = readProcessStat(process.pid)!
    expect(own).toMatchObject({ pid: stat.pid, parentPid: stat.parentPid, groupId: stat.groupId })
    expect(readPs(process.pid)[0]?.startTime).toBe(own?.startTime)
  })
})

describe.skipIf(process.platform !== 'linux')('a signal by identity', () => {
  it('reaches the process with this number and start time, and never one with another start time', async () => {
    const child = spawn('sleep', ['1000'])
    const exit = once(child, 'exit')
    const { startTime } = (await waitFor(() => readProcessStat(child.pid!), 'the child runs'))!
    expect(signalIfSame(child.pid!, `${Number(startTime) - 1}`, 'SIGKILL')).toBe(false)
    expect(readProcessStat(child.pid!)?.startTime).toBe(startTime)
    expect(signalIfSame(child.pid!, startTime, 'SIGTERM')).toBe(true)
    expect((await exit)[1]).toBe('SIGTERM')
    expect(signalIfSame(child.pid!, startTime, 'SIGKILL')).toBe(false)
  })
})

describe.skipIf(process.platform === 'win32')('finding a command', () => {
  it('goes by the PATH that it will run with, or by its path', () => {
    expect(findCommand('sh', '/', { PATH: '/nowhere:/bin' })).toEqual({ path: '/bin/sh' })
    expect(findCommand('./sh', '/bin', {})).toEqual({ path: '/bin/sh' })
  })

  it('says where it looked, and when the working folder is not there', () => {
    expect(findCommand('sh', '/', { PATH: '/nowhere' })).toMatchObject({ problem: expect.stringContaining('/nowhere/sh') })
    expect(findCommand('sh', '/nowhere', {})).toEqual({ problem: 'the working folder /nowhere is not there' })
  })
})
