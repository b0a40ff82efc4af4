import { config } from 'zod'

// zod compiles its parsers with `new Function`, which the Content-Security-Policy forbids and the console then reports.
// It decides when a schema is made: this module must be the first that main.ts imports.
config({ jitless: true })
