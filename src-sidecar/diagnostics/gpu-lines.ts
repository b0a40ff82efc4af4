/** One process's memory on one card, as a line of `nvidia-smi` tells it. */
export interface GpuLine {
  readonly gpu: string
  readonly pid: number
  /** Null where the driver does not tell (Windows: WDDM). */
  readonly vramBytes: number | null
}

/** Its arguments: a line a process, again and again, for starting it costs more than a sample. */
export const nvidiaSmiArguments = (everyMs: number): string[] => [
  '--query-compute-apps=gpu_uuid,pid,used_memory',
  '--format=csv,noheader,nounits',
  `--loop-ms=${everyMs}`,
]

const line = /^(GPU-[\w-]+|MIG-[\w-]+),\s*(\d+),\s*(\d+|\[.*\])$/

/** Reads a line such as `GPU-6ea63bb0-…, 4711, 5120`; in MiB. Null for everything else that it says. */
export function parseGpuLine(text: string): GpuLine | null {
  const found = line.exec(text.trim())
  if (found === null) return null
  const mib = Number(found[3])
  return { gpu: found[1]!, pid: Number(found[2]), vramBytes: Number.isNaN(mib) ? null : mib * 2 ** 20 }
}
