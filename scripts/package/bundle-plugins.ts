import { isBuiltin } from 'node:module'
import type { Rolldown } from 'vite'

const prefix = '\0builtin:'
const identifier = /^(?!default$)[a-z_$][\w$]*$/i

/**
 * Takes of Node's own modules only what is used: `import` of `node:http` looks at all that it has, and so loads Node's whole `fetch` with
 * it, 25 ms. CommonJS has `require` for them, which doesn't.
 */
export const plainBuiltins: Rolldown.Plugin = {
  name: 'plain-builtins',
  resolveId: {
    order: 'pre',
    handler: (id, _importer, { kind }) => (kind !== 'require-call' && isBuiltin(id) ? prefix + id.replace(/^node:/, '') : null),
  },
  load(id) {
    if (!id.startsWith(prefix)) return null
    const name = `node:${id.slice(prefix.length)}`
    const names = Object.keys(process.getBuiltinModule(name) ?? {}).filter((one) => identifier.test(one))
    // In a function, so that what nobody uses can be left out: some are made when they are looked at.
    const lines = names.map((one) => `export const ${one} = /* @__PURE__ */ (() => builtin.${one})()`)
    const code = [`const builtin = process.getBuiltinModule('${name}')`, 'export default builtin', ...lines].join('\n')
    return { code, moduleType: 'js', moduleSideEffects: false }
  },
}

/** `createRequire` is not seen through: what it asks for is bundled, and still loaded no sooner than it is asked for. */
export const bundledRequire: Rolldown.Plugin = {
  name: 'bundled-require',
  transform: {
    filter: { id: /backends\/http-library\.ts$/ },
    handler: (code) => code.replace('const require = createRequire(import.meta.url)', ''),
  },
}

/** Without letters outside of ASCII, V8 keeps a source in half the memory. They stand in strings, templates and expressions only. */
export const asciiOnly: Rolldown.Plugin = {
  name: 'ascii-only',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== 'chunk') continue
      file.code = file.code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    }
  },
}
