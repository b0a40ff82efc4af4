import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type ProxyOptions } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** `npm run dev`: the page comes from Vite, the API from the sidecar whose printed URL is in STABLENEW_URL. */
function sidecarProxy(): Record<string, ProxyOptions> {
  if (!process.env.STABLENEW_URL) return {}
  const { origin, searchParams } = new URL(process.env.STABLENEW_URL)
  const headers = { origin, authorization: `Bearer ${searchParams.get('token') ?? ''}` }
  return { '/api': { target: origin, changeOrigin: true, headers } }
}

export default defineConfig({
  root: here('src-ui'),
  // Relative, because the sidecar and Neutralino serve the same build from different origins.
  base: './',
  plugins: [svelte({ configFile: here('svelte.config.js') })],
  server: { host: '127.0.0.1', fs: { allow: [here('.')] }, proxy: sidecarProxy() },
  build: {
    outDir: here('resources/ui'),
    emptyOutDir: true,
    // The oldest engines that may show the window; they know light-dark().
    target: ['chrome123', 'safari17.5'],
    // The Content-Security-Policy allows fonts from files only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // It comes from this machine: parts would only make the first look at a page slower.
    chunkSizeWarningLimit: 2000,
    // For the licences of the package.
    license: { fileName: 'licences.json' },
  },
})
