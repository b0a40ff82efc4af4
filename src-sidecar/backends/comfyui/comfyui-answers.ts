import { z } from 'zod'

/** Answers of ComfyUI, only what is used; versions add and lack fields freely (0.3.64 and 0.8.0, `server.py`, `execution.py`). */
/** Of `POST /upload/image`: the name may be another than the one asked for. */
export const uploadAnswerSchema = z.object({ name: z.string(), subfolder: z.string().default(''), type: z.string() })

export const promptAnswerSchema = z.object({ prompt_id: z.string().min(1), node_errors: z.unknown() })

/** `[number, prompt_id, graph, extra_data, outputs]` */
const queueItemSchema = z.tuple([z.unknown(), z.string(), z.unknown(), z.unknown()]).rest(z.unknown())

export const queueAnswerSchema = z.object({
  queue_running: z.array(queueItemSchema),
  queue_pending: z.array(queueItemSchema),
})

export const pictureFileSchema = z.object({
  filename: z.string().min(1),
  subfolder: z.string().default(''),
  type: z.string().default('output'),
})
export type PictureFile = z.infer<typeof pictureFileSchema>

/** Other kinds of output (text, audio, previews of latents) are passed over. */
export const nodeOutputSchema = z.object({ images: z.array(pictureFileSchema).catch([]) }).catch({ images: [] })

export const historyEntrySchema = z.object({
  outputs: z.record(z.string(), nodeOutputSchema).catch({}),
  status: z
    .object({
      status_str: z.string().nullish(),
      /** `[name, data]`: as the messages of the WebSocket. */
      messages: z.array(z.tuple([z.string(), z.record(z.string(), z.unknown())]).rest(z.unknown())).catch([]),
    })
    .nullish(),
})
export type HistoryEntry = z.infer<typeof historyEntrySchema>

export const executionErrorSchema = z.object({
  node_id: z.coerce.string().catch('?'),
  node_type: z.string().catch('?'),
  exception_type: z.string().catch('error'),
  exception_message: z.string().catch(''),
})

export const messageSchema = z.object({ type: z.string(), data: z.record(z.string(), z.unknown()) })

/** `GET /object_info/:class`: `{class: {input: {required: {name: [[choices] | type, …]}}}}`. */
export const objectInfoSchema = z.record(
  z.string(),
  z.object({ input: z.object({ required: z.record(z.string(), z.array(z.unknown())).default({}) }) }),
)
