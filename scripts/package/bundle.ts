import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Rolldown } from 'vite'
import { type ProgramName, programs } from '../../src-sidecar/config/program-path.ts'
import { root } from '../run-script.mjs'
import { asciiOnly, koffiRequired, plainBuiltins, sqliteBundled, undiciBeside } from './bundle-plugins.ts'

/** Loaded from `node_modules` beside the programs: native parts find their files from where they lie. */
const nativePackages = ['koffi', 'sharp'] as const

const licencesFile = 'licences.json'

/** A package that was bundled, with the text of its licence. */
export interface Licence {
  readonly name: string
  readonly version: string
  readonly identifier: string | null
  readonly text: string | null
}

/** The sources that are bundled, by the name of the file that each becomes. */
const entries: Record<ProgramName | 'sidecar' | 'launch' | 'undici', string> = {
  ...(Object.fromEntries(Object.entries(programs).map(([name, source]) => [name, `src-sidecar/${source}`])) as Record<
    ProgramName,
    string
  >),
  // Loads the sidecar itself behind the code cache.
  main: 'src-sidecar/packaged.ts',
  sidecar: 'src-sidecar/main.ts',
  launch: 'scripts/package/launch.mjs',
  undici: 'node_modules/undici/index.js',
}

/**
 * Bundles every program into one file in `folder`.
 * @returns what of other people's went into them
 */
export async function bundleSidecar(folder: string): Promise<Licence[]> {
  const found = new Map<string, Licence>()
  for (const [name, source] of Object.entries(entries)) {
    for (const licence of await bundle(name, source, folder)) found.set(`${licence.name}@${licence.version}`, licence)
  }
  rmSync(join(folder, licencesFile), { force: true })
  return [...found.values()]
}

async function bundle(name: string, source: string, folder: string): Promise<Licence[]> {
  const output = await build({
    configFile: false,
    root,
    logLevel: 'warn',
    plugins: [plainBuiltins, koffiRequired, sqliteBundled, undiciBeside, asciiOnly],
    // As Node itself does, and not its build for bundlers, which lacks the default export.
    resolve: { alias: { 'opentype.js': join(root, 'node_modules/opentype.js/dist/opentype.js') } },
    ssr: { noExternal: true, external: [...nativePackages], target: 'node', resolve: { conditions: ['node'] } },
    build: {
      ssr: true,
      outDir: folder,
      emptyOutDir: false,
      target: 'node22',
      minify: 'oxc',
      license: { fileName: licencesFile },
      write: true,
      rolldownOptions: {
        input: { [name]: join(root, source) },
        output: {
          format: 'es',
          entryFileNames: '[name].js',
          codeSplitting: false,
          // What is left of CommonJS asks for them.
          banner: 'const __filename = import.meta.filename, __dirname = import.meta.dirname;',
        },
      },
    },
  })
  const { output: files } = output as Rolldown.RolldownOutput
  const licences = files.find(({ fileName }) => fileName === licencesFile) as Rolldown.OutputAsset | undefined
  return licences ? JSON.parse(String(licences.source)) : []
}
