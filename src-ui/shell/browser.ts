import type { Shell } from './shell.ts'

export const browserShell: Shell = {
  kind: 'browser',

  async connect() {
    const url = new URL(location.href)
    const token = url.searchParams.get('token') ?? ''
    if (token) {
      // Out of the address bar, so that it gets into no screenshot and no history. A reload has the sidecar's cookie.
      url.searchParams.delete('token')
      history.replaceState(history.state, '', url)
    }
    return { baseUrl: location.origin, token }
  },

  front() {
    window.focus()
  },

  exitWindow() {
    window.close()
  },
}
