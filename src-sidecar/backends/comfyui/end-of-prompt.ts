import { AppError, asError } from '../../errors/app-error.ts'
import type { BackendDeadlines } from '../backend-deadlines.ts'
import { executionErrorSchema, type HistoryEntry, type PictureFile } from './comfyui-answers.ts'
import type { ComfyuiEvents } from './comfyui-events.ts'
import type { ComfyuiQueue, Ticket } from './comfyui-queue.ts'

const askEveryMs = 2000
/** Where nothing is heard, or the last question found no answer. */
const askSoonMs = 500

/** Where the picture is: a file at the server, or here already. */
export type PromptEnd = { readonly file: PictureFile; readonly sent?: undefined } | { readonly sent: Uint8Array }

/**
 * Waits until the posted prompt has ended, and finds its picture. Asks history and queue at every hint of the events and at
 * intervals, whether or not anything is heard.
 * @throws AppError: `backend_rejected` where it failed or somebody took it away, `backend_unreachable` where the server is gone
 * or was started anew (`data.connected` is set), `timeout` where it is stuck (`data.stuck` is set).
 */
export async function endOfPrompt(
  queue: ComfyuiQueue,
  ticket: Ticket,
  events: ComfyuiEvents,
  deadlines: BackendDeadlines,
  signal: AbortSignal,
): Promise<PromptEnd> {
  events.promptId = ticket.promptId
  let answeredMs = performance.now()
  let lastSeen = ''
  let failing = false
  for (;;) {
    failing = false
    try {
      const entry = await queue.entry(ticket, signal)
      if (entry !== null) return pictureOf(entry, ticket, events)
      const place = await queue.place(ticket, signal)
      if (place === 'gone') return await endedOrLost(queue, ticket, events, signal)
      answeredMs = performance.now()
      // Behind the prompts of others it may wait as long as it takes.
      if (place === 'pending' || place !== lastSeen) events.lastSignMs = answeredMs
      lastSeen = place
    } catch (error) {
      if (signal.aborted || error instanceof PromptFailure) throw error
      failing = true
      // Loading a model, it may answer late; that it is not there is another thing.
      const late = error instanceof AppError && error.code === 'timeout'
      if (!late && performance.now() - answeredMs > deadlines.lostMs) throw gone(error)
    }
    if (performance.now() - events.lastSignMs > deadlines.stallMs)
      throw new PromptFailure('timeout', `ComfyUI showed no sign of progress for ${deadlines.stallMs / 1000} s.`, {
        data: { stuck: true },
      })
    await events.hint(Math.min(events.connected && !failing ? askEveryMs : askSoonMs, deadlines.stallMs))
    signal.throwIfAborted()
  }
}

/** An answer about the prompt, not a failure to get one. */
class PromptFailure extends AppError {}

function gone(error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== 'backend_unreachable') return error
  return new AppError('backend_unreachable', `ComfyUI is gone in the middle of an image: ${asError(error).message}`, {
    cause: error,
    data: { connected: true },
  })
}

/** It may have ended between the two questions. */
async function endedOrLost(queue: ComfyuiQueue, ticket: Ticket, events: ComfyuiEvents, signal: AbortSignal): Promise<PromptEnd> {
  const entry = await queue.entry(ticket, signal)
  if (entry !== null) return pictureOf(entry, ticket, events)
  const seen = chosenPicture(events.outputs)
  // Somebody has cleared the history.
  if (seen !== null) return { file: seen }
  if (events.unbroken)
    throw new PromptFailure('backend_rejected', "Somebody removed the prompt from ComfyUI's queue. Retry the job to make it.")
  throw new PromptFailure('backend_unreachable', 'ComfyUI was started anew in the middle of an image, which is lost.', {
    data: { connected: true },
  })
}

function pictureOf(entry: HistoryEntry, ticket: Ticket, events: ComfyuiEvents): PromptEnd {
  const failure = failureOf(entry)
  if (failure !== null) throw failure
  const outputs = Object.entries(entry.outputs).map(([id, { images }]) => [id, images] as const)
  const file = chosenPicture(new Map(outputs)) ?? chosenPicture(events.outputs)
  if (file !== null) return { file }
  if (events.sentPicture !== null) return { sent: events.sentPicture }
  const why = ticket.leftOut === '' ? 'Does the workflow save or preview one?' : `It left out ${ticket.leftOut}.`
  throw new PromptFailure('backend_bad_answer', `ComfyUI finished without an image. ${why}`)
}

/** What was saved goes before what was only shown. */
function chosenPicture(outputs: ReadonlyMap<string, readonly PictureFile[]>): PictureFile | null {
  const files = [...outputs.values()].flat()
  return files.find(({ type }) => type === 'output') ?? files[0] ?? null
}

function failureOf({ status }: HistoryEntry): AppError | null {
  if (status?.status_str !== 'error') return null
  const messages = new Map(status.messages.map(([name, data]) => [name, data]))
  if (messages.has('execution_interrupted'))
    return new PromptFailure('backend_rejected', 'The image was interrupted in ComfyUI itself. Retry the job to make it.')
  const error = executionErrorSchema.parse(messages.get('execution_error') ?? {})
  const { node_id, node_type, exception_type, exception_message } = error
  const said = `${exception_type}: ${exception_message}`.trim().slice(0, 1000)
  const advice = /OutOfMemory|out of memory|Allocation on device/i.test(said)
    ? ' Use a smaller size, or start ComfyUI with --lowvram.'
    : ''
  return new PromptFailure('backend_rejected', `ComfyUI failed in node ${node_id} (${node_type}): ${said}${advice}`)
}
