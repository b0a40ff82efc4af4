// biome-ignore format: a list
/** Suggestions: a backend may know more, so the fields take any name. */
export const samplerNames = [
  'Euler a', 'Euler', 'DPM++ 2M', 'DPM++ SDE', 'DPM++ 2M SDE', 'DPM++ 2M SDE Heun', 'DPM++ 2S a', 'DPM++ 3M SDE',
  'LMS', 'Heun', 'DPM2', 'DPM2 a', 'DPM fast', 'DPM adaptive', 'Restart', 'DDIM', 'PLMS', 'UniPC', 'LCM',
]

// biome-ignore format: a list
export const schedulerNames = [
  'Automatic', 'Uniform', 'Karras', 'Exponential', 'Polyexponential', 'SGM Uniform', 'KL Optimal',
  'Align Your Steps', 'Simple', 'Normal', 'DDIM', 'Beta',
]

export const sizes = [
  { width: 512, height: 512 },
  { width: 512, height: 768 },
  { width: 768, height: 512 },
  { width: 1024, height: 1024 },
  { width: 832, height: 1216 },
  { width: 1216, height: 832 },
] as const

export const sizeName = (size: { width: number; height: number }) => `${size.width} × ${size.height}`
