// Loaded into the draft engine by `npm run bench gap`: says how long it had nothing to do between two images.
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'

let freeSince: number | undefined
const makes = ({ request }: { request: IncomingMessage }) => request.url === '/sdapi/v1/txt2img'

subscribe('http.server.request.start', (message) => {
  if (!makes(message as never)) return
  if (freeSince !== undefined) process.stdout.write(`{"gapMs":${performance.now() - freeSince}}\n`)
  freeSince = undefined
})
subscribe('http.server.response.finish', (message) => {
  if (makes(message as never)) freeSince = performance.now()
})
