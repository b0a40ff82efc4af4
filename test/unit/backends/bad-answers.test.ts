import sharp from 'sharp'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { BackendDeadlines } from '../../../src-sidecar/backends/backend-deadlines.ts'
import { ComfyuiClient } from '../../../src-sidecar/backends/comfyui/comfyui-client.ts'
import { SdapiClient } from '../../../src-sidecar/backends/sdapi/sdapi-client.ts'
import type { ServerClient } from '../../../src-sidecar/backends/server-client.ts'
import { type BadAnswerName, badAnswers, mostBytes } from '../../helpers/bad-answers.ts'
import { ScriptedComfyui } from '../../helpers/comfyui/scripted-comfyui.ts'
import { waitFor } from '../../helpers/wait-for.ts'
import { recipe } from '../jobs/queue-fixture.ts'
import { json, scriptedServer } from './sdapi/scripted-server.ts'
import { whole } from './whole-result.ts'

const deadlines: BackendDeadlines = { quickMs: 300, bodyMs: 300, interruptMs: 300, stallMs: 700, imageMs: 700, lostMs: 400 }
/** All deadlines in a row, on a busy machine. */
const longestMs = 6000

type Expected = 'unreachable' | 'unreachable, counted' | 'rejected' | 'bad answer' | 'timeout' | 'hung' | 'not ready'

const results: Record<Expected, object> = {
  // The job goes back to the queue as it was, or counts as one that the server went down with.
  unreachable: { outcome: 'unavailable', crashed: false, problem: { code: 'backend_unreachable' } },
  'unreachable, counted': { outcome: 'unavailable', crashed: true, problem: { code: 'backend_unreachable' } },
  'not ready': { outcome: 'unavailable', crashed: false, problem: { code: 'timeout' } },
  // The job has failed, and says why.
  rejected: { outcome: 'rejected', problem: { code: 'backend_rejected' } },
  'bad answer': { outcome: 'rejected', problem: { code: 'backend_bad_answer' } },
  timeout: { outcome: 'rejected', problem: { code: 'timeout' } },
  hung: { outcome: 'unavailable', crashed: true, problem: { code: 'backend_hung' } },
}

const usual: Record<BadAnswerName, Expected> = {
  'reset before the answer': 'unreachable, counted',
  'reset in the middle': 'unreachable, counted',
  '500 with HTML': 'rejected',
  '200 with HTML': 'bad answer',
  '200 with half an object': 'bad answer',
  '200 with another object': 'bad answer',
  '200 with a list': 'bad answer',
  'base64 that is no image': 'bad answer',
  'a body ten times too large': 'bad answer',
  'no answer': 'timeout',
  'a slow trickle': 'timeout',
  'a redirect': 'rejected',
  '401': 'rejected',
  '503 of a proxy': 'unreachable',
  // The server has had the request.
  '504 of a proxy': 'unreachable, counted',
}

interface Place {
  readonly what: string
  readonly line: string
  readonly kind: 'sdapi' | 'comfyui'
  readonly stepMs?: number
  readonly unlike?: Partial<Record<BadAnswerName, Expected | 'done'>>
}

const beforeTheImage: Place['unlike'] = {
  'reset before the answer': 'unreachable',
  'reset in the middle': 'unreachable',
  'no answer': 'not ready',
  'a slow trickle': 'not ready',
  '504 of a proxy': 'unreachable',
}
/** The server is at the image: that it can't be reached is no reason to take the image for unbegun. */
const inTheImage: Place['unlike'] = { '503 of a proxy': 'unreachable, counted' }
/** The history has the image before it matters. */
const allDone = Object.fromEntries(Object.keys(badAnswers).map((name) => [name, 'done'])) as Place['unlike']
const places: readonly Place[] = [
  { what: 'txt2img of a WebUI', line: 'POST /sdapi/v1/txt2img', kind: 'sdapi', unlike: { 'no answer': 'hung' } },
  { what: 'the nodes of ComfyUI', line: 'GET /object_info', kind: 'comfyui', unlike: beforeTheImage },
  { what: 'the posting to ComfyUI', line: 'POST /prompt', kind: 'comfyui' },
  { what: 'the queue of ComfyUI', line: 'GET /queue', kind: 'comfyui', unlike: allDone },
  {
    what: 'the queue of ComfyUI, for longer than it is put up with,',
    line: 'GET /queue',
    kind: 'comfyui',
    stepMs: 450,
    // Late answers are put up with as long as the WebSocket shows steps.
    unlike: { ...inTheImage, 'no answer': 'done', 'a slow trickle': 'done' },
  },
  {
    what: 'the history of ComfyUI',
    line: 'GET /history',
    kind: 'comfyui',
    // What holds no entry is what ComfyUI says while there is none: the picture was seen on the WebSocket.
    unlike: {
      ...inTheImage,
      '200 with another object': 'done',
      '200 with a list': 'done',
      'base64 that is no image': 'done',
    },
  },
  { what: 'the picture of ComfyUI', line: 'GET /view', kind: 'comfyui' },
]

let png: Buffer
const opened: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  png = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#c52' } })
    .png()
    .toBuffer()
})

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A sound server that answers one thing as told, until it is told no more. */
async function server(kind: Place['kind'], line: string, stepMs = 5) {
  const fault: { name: BadAnswerName | null; times: number; end: () => void } = {
    name: null,
    times: 0,
    end: () => {
      fault.name = null
    },
  }
  const answer = (heard: string, response: Parameters<(typeof badAnswers)['401']>[0]): boolean => {
    if (fault.name === null || !heard.startsWith(line)) return false
    fault.times++
    badAnswers[fault.name](response)
    return true
  }
  if (kind === 'comfyui') {
    const scripted = await new ScriptedComfyui({ stepMs, intercept: answer }).start()
    opened.push(() => scripted.die())
    fault.end = () => {
      fault.name = null
      scripted.script.stepMs = 0
    }
    const settings = {
      id: 'one',
      name: '',
      enabled: true,
      kind,
      url: scripted.url,
      username: '',
      password: '',
      hungAfterMin: 10,
      managed: null,
      checkpoint: '',
      workflow: null,
    } as const
    return { fault, client: client(new ComfyuiClient(settings, { deadlines, maxAnswerBytes: mostBytes })) }
  }
  const scripted = await scriptedServer({
    '/sdapi/v1/txt2img': (response, { method, path }) => {
      if (!answer(`${method} ${path}`, response)) json(response, { images: [png.toString('base64')] })
    },
    '/sdapi/v1/interrupt': (response) => json(response, {}),
    '/sdapi/v1/progress': (response) => json(response, { progress: 0 }),
  })
  opened.push(() => scripted.close())
  return { fault, client: client(new SdapiClient({ url: scripted.url }, { deadlines, maxAnswerBytes: mostBytes })) }
}

function client<T extends ServerClient>(made: T): T {
  opened.push(() => made.close())
  return made
}

const image = (one: ServerClient, seed = 1) =>
  whole(one.generate({ recipe: recipe({ steps: 4 }), seed }, () => {}, new AbortController().signal))

const held = (kind: RegExp): number => process.getActiveResourcesInfo().filter((name) => kind.test(name)).length

describe.each(places)('$what answers with', ({ kind, line, stepMs, unlike = {} }) => {
  test.each(Object.keys(badAnswers) as BadAnswerName[])(
    '%s: it ends in time, the next image is made, nothing is left',
    async (name) => {
      const timers = held(/Timeout/)
      const { fault, client } = await server(kind, line, stepMs)
      fault.name = name
      const began = performance.now()
      const result = await image(client)
      expect(performance.now() - began).toBeLessThan(longestMs)
      expect(fault.times).toBeGreaterThan(0)
      const expected = (line === 'GET /view' && noPictures.includes(name) ? 'bad answer' : null) ?? unlike[name] ?? usual[name]
      expect(result).toMatchObject(expected === 'done' ? { outcome: 'done' } : results[expected])
      expect('problem' in result ? result.problem.message : '').not.toContain('S3cret')
      fault.end()
      await waitFor(async () => (await image(client, 2)).outcome === 'done', 'the next image', { ms: longestMs })
      for (const close of opened.splice(0).reverse()) await close()
      await waitFor(() => held(/^TCP/) === 0, 'the end of all sockets')
      expect(held(/Timeout/)).toBeLessThanOrEqual(timers)
    },
  )
})

/** Whatever it is, it is none. */
const noPictures: readonly BadAnswerName[] = ['200 with HTML', '200 with half an object', '200 with another object']

test.each(['sdapi', 'comfyui'] as const)(
  'a %s that refuses the connection is not there, and counts against no job',
  async (kind) => {
    const { client } = await server(kind, '')
    await opened.shift()!()
    expect(await image(client)).toMatchObject(results.unreachable)
  },
)
