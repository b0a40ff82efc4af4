import type { ServerResponse } from 'node:http'

export type BadAnswer = (response: ServerResponse) => unknown

/** More than a client takes that is told to take at most this. */
export const mostBytes = 100_000

const page = '<html><body><h1>Internal Server Error</h1></body></html>'

/** Every way in which a server may answer badly, by name. None of them looks at what was asked. */
export const badAnswers = {
  'reset before the answer': (response) => response.destroy(),
  'reset in the middle': (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' })
    response.write('{"images": ["', () => response.destroy())
  },
  '500 with HTML': (response) => response.writeHead(500, { 'content-type': 'text/html' }).end(page),
  '200 with HTML': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end(page),
  '200 with half an object': (response) => response.writeHead(200).end('{"images": ['),
  '200 with another object': (response) => response.writeHead(200).end('{"images": [], "outputs": 7}'),
  '200 with a list': (response) => response.writeHead(200).end('[]'),
  'base64 that is no image': (response) => response.writeHead(200).end(JSON.stringify({ images: [btoa('no image at all')] })),
  'a body ten times too large': (response) => {
    response.on('error', () => {})
    response.writeHead(200, { 'content-type': 'application/json' }).end(`{"images": ["${'A'.repeat(mostBytes * 10)}"]}`)
  },
  'no answer': () => {},
  'a slow trickle': (response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const drops = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(drops))
  },
  'a redirect': (response) => response.writeHead(302, { location: 'http://127.0.0.1:9/login?token=S3cret' }).end(),
  '401': (response) =>
    response.writeHead(401, { 'content-type': 'application/json' }).end('{"detail": "Incorrect username or password"}'),
  '503 of a proxy': (response) => response.writeHead(503, { 'content-type': 'text/html' }).end('no upstream'),
  '504 of a proxy': (response) => response.writeHead(504, { 'content-type': 'text/html' }).end('<html>504</html>'),
} satisfies Record<string, BadAnswer>

export type BadAnswerName = keyof typeof badAnswers
