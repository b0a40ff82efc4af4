// npm run verify: all gates, and the long crosses too.
import { runScript } from './run-script.mjs'
import { test } from './test.mjs'

await runScript(import.meta.url, (argv) => {
  process.env.STABLENEW_VERIFY = '1'
  return test(argv)
})
