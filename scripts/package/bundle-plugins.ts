import { isBuiltin } from 'node:module'
import type { Rolldown } from 'vite'

const prefix = '\0builtin:'
const koffi = '\0required:koffi'
const identifier = /^(?!default$)[a-z_$][\w$]*$/i

/**
 * Takes of Node's own modules only what is used: `import` of `node:http` looks at all that it has, and so loads Node's whole `fetch` with
 * it, 25 ms. CommonJS has `require` for them, which doesn't.
 */
export const plainBuiltins: Rolldown.Plugin = {
  name: 'plain-builtins',
  resolveId: {
    order: 'pre',
    handler: (id, _importer, { kind }) => {
      const name = id.replace(/^node:/, '')
      // The bundler's own runtime imports `module`, before all else.
      return kind !== 'require-call' && isBuiltin(id) && name !== 'module' ? prefix + name : null
    },
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

/** koffi by `require`: an `import` of it would stand at the top, and load it before the port is open. */
export const koffiRequired: Rolldown.Plugin = {
  name: 'koffi-required',
  resolveId: {
    order: 'pre',
    handler: (id, _importer, { kind }) => (kind !== 'require-call' && id === 'koffi' ? koffi : null),
  },
  load: (id) => (id === koffi ? { code: "export default require('koffi')", moduleType: 'js', moduleSideEffects: false } : null),
}

/** better-sqlite3 is bundled, 6 ms less than its twelve files; its native part lies where the package has it. */
export const sqliteBundled: Rolldown.Plugin = {
  name: 'sqlite-bundled',
  transform: {
    filter: { id: /better-sqlite3\/lib\/binding\.js$/ },
    handler: (code) => replaced(code, /__dirname/g, "__dirname, 'node_modules/better-sqlite3/lib'"),
  },
}

/** undici, two fifths of the code, is a file of its own beside it: read when a server is first spoken to. */
export const undiciBeside: Rolldown.Plugin = {
  name: 'undici-beside',
  transform: {
    filter: { id: /backends\/http-library\.ts$/ },
    handler: (code) => replaced(code, /require\(['"]undici['"]\)/, "require('./undici.js').default"),
  },
}

/** @throws Error where nothing is to be replaced: the source has changed since */
function replaced(code: string, what: RegExp, by: string): string {
  const changed = code.replace(what, by)
  if (changed === code) throw new Error(`${what} is not there any more`)
  return changed
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
