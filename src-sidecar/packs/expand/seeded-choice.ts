/** A number from 0 up to 2³²−1 that depends on the text only (FNV-1a with murmur3's end). */
export function hash(text: string): number {
  let mixed = 0x811c9dc5
  for (let at = 0; at < text.length; at++) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** Numbers from 0 up to, not including, 1: the same for the same text (mulberry32). */
export function seededNumbers(text: string): () => number {
  let state = hash(text)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Where `index` lands when 0…count−1 are shuffled, without building the list: a Feistel network over the next even
 * number of bits, walked until the result is within `count`.
 */
export function shuffledIndex(index: bigint, count: bigint, key: string): bigint {
  const halfBits = BigInt(Math.max(1, Math.ceil((count - 1n).toString(2).length / 2)))
  const mask = (1n << halfBits) - 1n
  let value = index
  do {
    let [left, right] = [value >> halfBits, value & mask]
    for (let round = 0; round < 4; round++) {
      const mixed = (BigInt(hash(`${key}:${round}:${right}`)) << 32n) | BigInt(hash(`${round}:${right}:${key}`))
      ;[left, right] = [right, left ^ (mixed & mask)]
    }
    value = (left << halfBits) | right
  } while (value >= count)
  return value
}
