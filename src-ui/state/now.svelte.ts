/** The time, for what counts while it is looked at. */
class Now {
  ms = $state(Date.now())

  constructor() {
    setInterval(() => {
      if (document.visibilityState === 'visible') this.ms = Date.now()
    }, 500)
  }
}

export const now = new Now()
