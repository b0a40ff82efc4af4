const everyMs = 250

/** Holds ever more memory, as a backend with a leak does: filled, so that it is resident. By the clock, also when late. */
export function startLeak(kbPerSecond: number): void {
  if (kbPerSecond === 0) return
  const held: Buffer[] = []
  const began = performance.now()
  let heldBytes = 0
  const grow = () => {
    const dueBytes = Math.round((kbPerSecond * 1024 * (performance.now() - began)) / 1000)
    held.push(Buffer.alloc(dueBytes - heldBytes, 1))
    heldBytes = dueBytes
  }
  setInterval(grow, everyMs).unref()
}
