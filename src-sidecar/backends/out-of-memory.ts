import type { Problem } from '../contract/job.ts'

/**
 * The words of PyTorch (`OutOfMemoryError`, "CUDA out of memory"), its ROCm, MPS and DirectML backends ("Could not allocate
 * tensor with … bytes"), and ComfyUI's "Allocation on device".
 */
const words = /OutOfMemory|out of memory|Allocation on device|not enough (GPU )?memory|Could not allocate tensor/i

/** The problem under the name of its cause, where the server ran out of memory; else as it is. */
export const namedOutOfMemory = (problem: Problem): Problem =>
  words.test(problem.message) ? { code: 'backend_out_of_memory', message: problem.message } : problem
