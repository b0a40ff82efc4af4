import type { BackendSettings } from '../contract/settings.ts'
import { AppError } from '../errors/app-error.ts'

/**
 * The backends for `--backend`: the one of the settings with this id, name or address, else all of this kind; `draft` is always there.
 * @throws AppError `bad_request`, naming those that there are
 */
export function chosenBackends(backends: readonly BackendSettings[], wanted: string | undefined): BackendSettings[] {
  if (wanted === undefined) return [...backends]
  const same = (text: string | undefined) => text?.toLowerCase() === wanted.toLowerCase()
  const one = backends.find((backend) => same(backend.id) || same(backend.name) || ('url' in backend && same(backend.url)))
  const found = one ? [one] : backends.filter(({ kind }) => same(kind))
  if (found.length === 0 && same('draft')) found.push({ id: 'draft', name: '', enabled: true, kind: 'draft', stepMs: 0 })
  if (found.length > 0) return found.map((backend) => ({ ...backend, enabled: true }))
  const names = backends.map(({ id, name }) => (name ? `${id} (${name})` : id)).join(', ')
  throw new AppError('bad_request', `There is no backend "${wanted}" in the settings. There is ${names}, and draft.`)
}
