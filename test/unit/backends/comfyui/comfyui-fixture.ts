import { afterEach } from 'vitest'
import type { GenerateProgress } from '../../../../src-sidecar/backends/backend.ts'
import { type BackendDeadlines, backendDeadlines } from '../../../../src-sidecar/backends/backend-deadlines.ts'
import { ComfyuiClient } from '../../../../src-sidecar/backends/comfyui/comfyui-client.ts'
import type { Recipe } from '../../../../src-sidecar/contract/recipe.ts'
import { type ComfyuiSettings, comfyuiSettingsSchema } from '../../../../src-sidecar/contract/settings.ts'
import { type ComfyuiScript, ScriptedComfyui } from '../../../helpers/comfyui/scripted-comfyui.ts'
import { recipe } from '../../jobs/queue-fixture.ts'
import { type WholeResult, whole } from '../whole-result.ts'

const opened: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

/** A scripted ComfyUI and a client for it; both are closed after the test. */
export async function comfyui(
  script: Partial<ComfyuiScript> = {},
  { deadlines = {}, settings = {} }: { deadlines?: Partial<BackendDeadlines>; settings?: Partial<ComfyuiSettings> } = {},
): Promise<{ server: ScriptedComfyui; client: ComfyuiClient }> {
  const server = await new ScriptedComfyui(script).start()
  opened.push(() => server.die())
  return { server, client: clientFor(server.url, deadlines, settings) }
}

export function clientFor(
  url: string,
  deadlines: Partial<BackendDeadlines> = {},
  settings: Partial<ComfyuiSettings> = {},
  maxAnswerBytes?: number,
): ComfyuiClient {
  const all = comfyuiSettingsSchema.parse({ id: 'one', kind: 'comfyui', url, ...settings })
  const client = new ComfyuiClient(all, { deadlines: { ...backendDeadlines, lostMs: 600, ...deadlines }, maxAnswerBytes })
  opened.push(() => client.close())
  return client
}

export interface Asking {
  readonly result: Promise<WholeResult>
  readonly seen: GenerateProgress[]
  abort(): void
}

/** Asks for one image; what is seen of it is collected. */
export function ask(client: ComfyuiClient, more: Partial<Recipe> = {}, seed = 42): Asking {
  const seen: GenerateProgress[] = []
  const abort = new AbortController()
  const asked = { recipe: recipe({ steps: 6, width: 64, height: 48, ...more }), seed }
  const result = whole(client.generate(asked, (one) => seen.push(one), abort.signal))
  return { result, seen, abort: () => abort.abort() }
}

export const messageOf = (result: WholeResult): string => ('problem' in result ? result.problem.message : '')
