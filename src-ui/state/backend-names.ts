import type { BackendSettings } from '../../src-sidecar/contract/settings.ts'

const kinds = { draft: 'Draft engine', sdapi: 'WebUI', comfyui: 'ComfyUI' }

/** What a backend is called, as the sidecar calls it: its own name, or what it is and where. */
export function backendName(backend: BackendSettings): string {
  if (backend.name !== '' || backend.kind === 'draft') return backend.name || kinds.draft
  const where = URL.canParse(backend.url) ? ` at ${new URL(backend.url).host}` : ''
  return kinds[backend.kind] + where
}

/** A new one, to be filled in: at a port that none of the others has. */
export function newBackend(others: readonly BackendSettings[]): BackendSettings {
  const taken = others.map((one) => (one.kind === 'draft' ? '' : new URL(one.url, 'http://x').port))
  let port = 7860
  while (taken.includes(String(port))) port++
  const id = crypto.randomUUID().slice(0, 8)
  const url = `http://127.0.0.1:${port}`
  return { id, name: '', enabled: true, kind: 'sdapi', url, username: '', password: '', hungAfterMin: 10, managed: null }
}
