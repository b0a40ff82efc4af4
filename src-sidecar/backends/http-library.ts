import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
let loaded: typeof import('undici') | undefined

/** undici, from when a server is first spoken to: loading it takes a quarter of the start. */
export function httpLibrary(): typeof import('undici') {
  // In the package `bundle-plugins.ts` puts the one beside it in its place.
  loaded ??= require('undici') as typeof import('undici')
  return loaded
}
