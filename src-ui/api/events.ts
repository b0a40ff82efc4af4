import { type AppEvent, eventSchema } from '../../src-sidecar/contract/events.ts'

const eventTypes = eventSchema.options.map((option) => option.shape.type.value)

/** One stream, without a second try: when to try again is the connection's decision. Returns what closes it. */
export function openEvents(url: string, onEvent: (event: AppEvent) => void, onLost: () => void): () => void {
  const source = new EventSource(url)
  const lost = () => {
    source.close()
    onLost()
  }
  for (const type of eventTypes) {
    source.addEventListener(type, (message: MessageEvent<string>) => {
      const event = parseEvent(message.data)
      if (event) onEvent(event)
    })
  }
  source.addEventListener('error', lost)
  return () => source.close()
}

/** An event that this page doesn't understand is passed over: a newer sidecar may send more kinds. */
export function parseEvent(data: string): AppEvent | undefined {
  try {
    return eventSchema.safeParse(JSON.parse(data)).data
  } catch {
    return undefined
  }
}
