/**
 * Where in the app, as the address bar's hash says: #/packs/<id>, #/queue, #/gallery/<image id>,
 * #/learning/new, #/learning/advice, #/learning/<experiment id>, #/learning/<experiment id>/review, #/diagnostics.
 */
export type Route =
  | { page: 'packs'; packId?: string }
  | { page: 'queue' }
  | { page: 'gallery'; imageId?: number }
  | { page: 'learning'; view?: 'new' | 'advice' }
  | { page: 'learning'; view: 'experiment' | 'review'; experimentId: number }
  | { page: 'diagnostics' }

export function parseRoute(hash: string): Route {
  const [page, ...rest] = hash.replace(/^#\/?/, '').split('/')
  const detail = rest.join('/')
  if (page === 'queue' || page === 'diagnostics') return { page }
  if (page === 'gallery') {
    const imageId = Number(detail)
    return Number.isInteger(imageId) && imageId > 0 ? { page, imageId } : { page }
  }
  if (page === 'learning') return learningRoute(rest)
  return detail ? { page: 'packs', packId: decoded(detail) } : { page: 'packs' }
}

export function hashOf(route: Route): string {
  if (route.page === 'packs' && route.packId) return `#/packs/${encodeURIComponent(route.packId)}`
  if (route.page === 'gallery' && route.imageId) return `#/gallery/${route.imageId}`
  if (route.page === 'learning' && route.view) {
    if (!('experimentId' in route)) return `#/learning/${route.view}`
    return `#/learning/${route.experimentId}${route.view === 'review' ? '/review' : ''}`
  }
  return `#/${route.page}`
}

function learningRoute([detail, more]: string[]): Route {
  const page = 'learning'
  if (detail === 'new' || detail === 'advice') return { page, view: detail }
  const experimentId = Number(detail)
  if (!detail || !Number.isInteger(experimentId) || experimentId < 1) return { page }
  return { page, view: more === 'review' ? 'review' : 'experiment', experimentId }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
