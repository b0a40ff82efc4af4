import { hashOf, parseRoute, type Route } from './route.ts'

class Router {
  route = $state.raw<Route>(parseRoute(location.hash))

  constructor() {
    addEventListener('hashchange', () => {
      this.route = parseRoute(location.hash)
    })
  }

  go(route: Route): void {
    location.hash = hashOf(route)
  }

  /** Without a step for the back button: paging through images, closing a detail. */
  replace(route: Route): void {
    history.replaceState(null, '', hashOf(route))
    this.route = route
  }
}

export const router = new Router()
