/**
 * One name for a checkpoint that servers write differently: `sd/Dream.safetensors [a1b2c3]`, `sd\Dream.safetensors` and
 * `Dream` are `dream`.
 */
export const modelKey = (name: string): string =>
  name
    .replace(/ \[[0-9a-f]{6,64}\]$/i, '')
    .replace(/^.*[\\/]/, '')
    .replace(/\.(safetensors|ckpt|pt|pth|bin|gguf|sft)$/i, '')
    .toLowerCase()
