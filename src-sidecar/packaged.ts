// What the package starts in place of `main.ts`: from the second start on, the code comes compiled from the cache folder. That has to be
// switched on before it is loaded.
import { useCodeCache } from './config/code-cache.ts'

useCodeCache(process.argv.slice(2))
await import(new URL('./sidecar.js', import.meta.url).href)
