import { describe, expect, test } from 'vitest'
import { createHost } from '../../../src-sidecar/cli/host.ts'
import { RunReport } from '../../../src-sidecar/cli/run-report.ts'
import type { AppEvent } from '../../../src-sidecar/contract/events.ts'
import type { Job, JobState, Problem } from '../../../src-sidecar/contract/job.ts'
import { recipe } from '../jobs/queue-fixture.ts'

function reporting(isTerminal = false, columns = 80, json = false) {
  const said = { out: '', error: '' }
  const report = new RunReport({
    isTerminal,
    columns: () => columns,
    json,
    out: (text) => (said.out += text),
    error: (text) => (said.error += text),
  })
  return { report, said }
}

function job(id: number, state: JobState, problem: Problem | null = null): AppEvent {
  const ended = !['queued', 'running', 'interrupted'].includes(state)
  const one: Job = {
    id,
    packId: 'user/cats.txt',
    packName: 'cats',
    promptIndex: id - 1,
    state,
    recipe: recipe(),
    imagesDone: 0,
    pinnedTo: null,
    priority: 'normal',
    attempt: 1,
    problem,
    createdAtMs: 0,
    startedAtMs: 0,
    endedAtMs: ended ? 1 : null,
  }
  return { type: 'job', job: one }
}

const image = (path: string): AppEvent => ({
  type: 'image',
  image: {
    id: 1,
    jobId: 1,
    imageIndex: 0,
    stage: 0,
    intermediate: false,
    packName: 'cats',
    promptIndex: 0,
    path,
    fileName: path,
    width: 8,
    height: 8,
    sizeBytes: 1,
    seed: 1,
    checkpoint: '',
    backend: '',
    durationMs: 1,
    parameters: '',
    recipe: recipe(),
    createdAtMs: 0,
    rating: null,
    ratedAtMs: null,
    tags: [],
    missing: false,
  },
})

const progress = (fraction: number): AppEvent => ({
  type: 'progress',
  progress: {
    jobId: 1,
    backendId: 'one',
    imageIndex: 0,
    stage: 0,
    stages: ['txt2img'],
    step: 1,
    steps: 2,
    fraction,
    elapsedMs: 1,
    remainingMs: null,
    previewVersion: 0,
  },
})

const backend = (message: string | null): AppEvent => ({
  type: 'backends',
  backends: [
    {
      id: 'one',
      kind: 'sdapi',
      name: 'WebUI',
      state: message === null ? 'ready' : 'failed',
      problem: message === null ? null : { code: 'backend_unreachable', message },
      capabilities: null,
    },
  ],
})

test('a run of two images says what it makes, each file and the sum', () => {
  const { report, said } = reporting()
  report.begin('cats', 2, 2)
  expect([report.done, report.allMade]).toEqual([false, false])
  for (const [id, path] of [
    [1, '/out/a.png'],
    [2, '/out/b.png'],
  ] as const) {
    report.tell(job(id, 'running'))
    report.tell(progress(0.5))
    report.tell(image(path))
    report.tell(job(id, 'completed'))
  }
  expect([report.done, report.allMade]).toEqual([true, true])
  report.end([])
  expect(said.out).toMatch(/^cats: 2 jobs, 2 images\n1\/2 {2}\/out\/a\.png\n2\/2 {2}\/out\/b\.png\n2 of 2 images in \d+\.\d s\n$/)
  expect(said.error).toBe('')
})

test('one is one, and the numbers are aligned', () => {
  const one = reporting()
  one.report.begin('cats', 1, 1)
  one.report.end([])
  expect(one.said.out).toMatch(/^cats: 1 job, 1 image\n0 of 1 image in/)
  const many = reporting()
  many.report.begin('cats', 1, 100)
  many.report.tell(image('/a.png'))
  expect(many.said.out).toContain('\n  1/100  /a.png\n')
})

test('nothing is done before it has begun', () => {
  const { report } = reporting()
  report.tell(backend(null))
  expect([report.done, report.allMade]).toEqual([false, false])
})

test('a prompt that failed is said, and the run is done but not all made', () => {
  const { report, said } = reporting()
  report.begin('cats', 2, 2)
  report.tell(image('/a.png'))
  report.tell(job(1, 'completed'))
  report.tell(job(2, 'failed', { code: 'backend_rejected', message: 'no such sampler' }))
  expect([report.done, report.allMade]).toEqual([true, false])
  expect(said.error).toBe('Prompt 2 failed: no such sampler\n')
})

test('a job that goes back to the queue is not done', () => {
  const { report } = reporting()
  report.begin('cats', 1, 1)
  report.tell(job(1, 'running'))
  report.tell(job(1, 'queued'))
  expect(report.done).toBe(false)
  report.tell(job(1, 'quarantined', { code: 'backend_unreachable', message: 'down' }))
  report.tell(job(1, 'quarantined', { code: 'backend_unreachable', message: 'down' }))
  expect(report.done).toBe(true)
})

test('a backend that is not there is said once, and again when it comes and goes', () => {
  const { report, said } = reporting()
  report.begin('cats', 1, 1)
  for (const message of ['refused.', 'refused.', null, 'refused.', 'reset.']) report.tell(backend(message))
  expect(said.error).toBe('refused. Trying again.\nrefused. Trying again.\nreset. Trying again.\n')
})

test('what did not end as it should is said last', () => {
  const { report, said } = reporting()
  report.begin('cats', 1, 1)
  report.end(['backend: was not done within 8000 ms'])
  expect(said.error).toBe('Not ended cleanly: backend: was not done within 8000 ms\n')
})

describe('the progress bar', () => {
  test('is drawn over itself on a terminal, and gone before every line', () => {
    const { report, said } = reporting(true)
    report.begin('cats', 1, 2)
    report.tell(progress(0.5))
    expect(said.out.split('\r\x1b[K').at(-1)).toBe('██████░░░░░░░░░░░░░░░░░░  25%  image 1/2')
    report.tell(image('/a.png'))
    report.tell(progress(1))
    expect(said.out.split('\r\x1b[K').at(-1)).toBe('████████████████████████ 100%  image 2/2')
    report.tell(image('/b.png'))
    report.end([])
    expect(said.out).toContain('\r\x1b[K2/2  /b.png\n')
    expect(said.out.endsWith(' s\n')).toBe(true)
    expect(said.out.match(/\n.*█/)).toBeNull()
  })

  test('is never wider than the terminal', () => {
    const { report, said } = reporting(true, 20)
    report.begin('cats', 1, 1)
    report.tell(progress(0.9))
    expect(said.out.split('\r\x1b[K').at(-1)).toHaveLength(19)
  })

  test('is not there where the output is no terminal', () => {
    const { report, said } = reporting(false)
    report.begin('cats', 1, 1)
    report.tell(progress(0.9))
    expect(said.out).toBe('cats: 1 job, 1 image\n')
  })
})

describe('whoever started us', () => {
  const address = { url: 'http://127.0.0.1:1/?token=x', port: 1, token: 'x', runId: 'r' }

  test('is told in lines of JSON where it is a program', () => {
    let text = ''
    const host = createHost(true, (more) => (text += more))
    host.ready(address)
    host.open('/a\nfolder')
    host.notice('careful')
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { stablenew: 'ready', ...address },
      { stablenew: 'open', target: '/a\nfolder' },
      { stablenew: 'notice', message: 'careful' },
    ])
  })

  test('is told in words where it is a person', () => {
    let text = ''
    const host = createHost(false, (more) => (text += more))
    host.ready(address)
    host.notice('careful')
    expect(text).toBe('StableNew is ready: http://127.0.0.1:1/?token=x\ncareful\n')
  })
})

describe('as JSON', () => {
  test('is a line for what was begun, made and ended, also where there is a terminal', () => {
    const { report, said } = reporting(true, 80, true)
    report.begin('cats', 2, 2)
    report.tell(progress(0.5))
    report.tell(image('/out/1.png'))
    report.tell(job(1, 'completed'))
    report.tell(job(2, 'failed', { code: 'backend_rejected', message: 'no' }))
    report.end([])
    const lines = said.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toEqual([
      { event: 'begin', pack: 'cats', jobs: 2, images: 2 },
      { event: 'image', file: '/out/1.png', job: 1, image: 1, seed: 1, width: 8, height: 8, stage: 'txt2img', isWhole: true },
      { event: 'failed', job: 2, prompt: 2, problem: { code: 'backend_rejected', message: 'no' } },
      { event: 'end', saved: 1, images: 2, seconds: expect.any(Number), failures: [] },
    ])
    expect(said.error).toBe('Prompt 2 failed: no\n')
  })
})

test('what a stage that failed has left is named, and is no image that was asked for', () => {
  const { report, said } = reporting()
  report.begin('cats', 1, 1)
  const kept = image('/out/1-1-txt2img.png') as Extract<AppEvent, { type: 'image' }>
  const stages = [{ as: 'upscale' as const, upscaler: 'Lanczos', scale: 2, keepInput: false }]
  report.tell({ ...kept, image: { ...kept.image, recipe: recipe({ stages }) } })
  report.tell(job(1, 'failed', { code: 'backend_rejected', message: 'no' }))
  expect(report.allMade).toBe(false)
  expect(said.out).toContain('Kept, made by txt2img: /out/1-1-txt2img.png')
})

test('why nothing can be saved is said once, and once that it can', () => {
  const trouble = {
    kind: 'full',
    folder: '/out',
    freeBytes: 0,
    sinceMs: 5,
    inHand: 0,
    message: 'There is no room left in /out.',
  } as const
  for (const json of [false, true]) {
    const { report, said } = reporting(false, 80, json)
    for (const inHand of [0, 1, 2]) report.tell({ type: 'storage', storage: { ...trouble, inHand } })
    report.tell({ type: 'storage', storage: null })
    report.unsaved(0)
    report.unsaved(2)
    expect(said.error).toBe(
      'There is no room left in /out.\nIt can be written again: it goes on.\n2 images were made and could not be saved.\n',
    )
    const events = said.out.split('\n').filter(Boolean)
    expect(events.map((line) => JSON.parse(line).event)).toEqual(json ? ['storage', 'storage', 'unsaved'] : [])
  }
})
