/** Where in the app, as the address bar's hash says: #/packs/<id>, #/queue, #/gallery/<image id>, #/diagnostics. */
export type Route =
  | { page: 'packs'; packId?: string }
  | { page: 'queue' }
  | { page: 'gallery'; imageId?: number }
  | { page: 'diagnostics' }

export function parseRoute(hash: string): Route {
  const [page, ...rest] = hash.replace(/^#\/?/, '').split('/')
  const detail = rest.join('/')
  if (page === 'queue' || page === 'diagnostics') return { page }
  if (page === 'gallery') {
    const imageId = Number(detail)
    return Number.isInteger(imageId) && imageId > 0 ? { page, imageId } : { page }
  }
  return detail ? { page: 'packs', packId: decoded(detail) } : { page: 'packs' }
}

export function hashOf(route: Route): string {
  if (route.page === 'packs' && route.packId) return `#/packs/${encodeURIComponent(route.packId)}`
  if (route.page === 'gallery' && route.imageId) return `#/gallery/${route.imageId}`
  return `#/${route.page}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
