import type { Context } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { AppEvent } from '../contract/events.ts'

const keepAliveMs = 5000
/** A page that is this far behind is cut off: it comes back and fetches everything anew. */
const maxBehind = 500

interface Client {
  behind: number
  send(event: AppEvent): void
  end(): void
}

/** All open event streams. Nothing is replayed: every stream begins with `hello`. */
export class EventStream {
  readonly #clients = new Set<Client>()
  readonly #listeners: ((event: AppEvent) => void)[] = []
  readonly #runId: string
  #ended = false

  constructor(runId: string) {
    this.#runId = runId
  }

  get size(): number {
    return this.#clients.size
  }

  readonly publish = (event: AppEvent): void => {
    for (const listener of this.#listeners) listener(event)
    for (const client of this.#clients) client.send(event)
  }

  /** Somebody in the same process who wants to know. Called before the pages are told; must not throw. */
  listen(listener: (event: AppEvent) => void): void {
    this.#listeners.push(listener)
  }

  /** Answers a request with a stream that lasts until the page goes or `end` is called. */
  answer(c: Context, onOpen: () => void): Response {
    return streamSSE(c, async (stream) => {
      const over = Promise.withResolvers<void>()
      let writing: Promise<unknown> = Promise.resolve()
      const write = (work: () => Promise<unknown>) => {
        client.behind++
        if (client.behind > maxBehind) over.resolve()
        writing = writing
          .then(work)
          .catch(() => over.resolve())
          .finally(() => client.behind--)
      }
      const client: Client = {
        behind: 0,
        send: (event) => write(() => stream.writeSSE({ event: event.type, data: JSON.stringify(event) })),
        end: () => void writing.finally(over.resolve),
      }
      stream.onAbort(() => over.resolve())
      this.#clients.add(client)
      const keepAlive = setInterval(() => write(() => stream.write(': still here\n\n')), keepAliveMs)
      client.send({ type: 'hello', runId: this.#runId })
      onOpen()
      if (this.#ended) this.#say(client)
      await over.promise
      clearInterval(keepAlive)
      this.#clients.delete(client)
    })
  }

  /** Says goodbye to every page and ends its stream. */
  end(): void {
    this.#ended = true
    for (const client of this.#clients) this.#say(client)
  }

  #say(client: Client): void {
    client.send({ type: 'bye' })
    client.end()
  }
}
