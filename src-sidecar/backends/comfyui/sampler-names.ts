import { AppError } from '../../errors/app-error.ts'

/** A1's name → ComfyUI's, and the scheduler that A1 means by "Automatic" with it (else its own spacing, ComfyUI's "normal"). */
interface SamplerName {
  readonly sampler: string
  readonly automatic?: string
}

/**
 * Sources: A1 1.10 `modules/sd_samplers_kdiffusion.py` (name, k-diffusion function, its scheduler), `sd_samplers_timesteps.py`,
 * `sd_samplers_lcm.py`; ComfyUI `comfy/samplers.py`, `KSAMPLER_NAMES` and `SAMPLER_NAMES`, which are named after the same
 * functions. A1's Restart and PLMS have none.
 */
const samplers: Readonly<Record<string, SamplerName>> = {
  'Euler a': { sampler: 'euler_ancestral' },
  Euler: { sampler: 'euler' },
  LMS: { sampler: 'lms' },
  Heun: { sampler: 'heun' },
  DPM2: { sampler: 'dpm_2', automatic: 'karras' },
  'DPM2 a': { sampler: 'dpm_2_ancestral', automatic: 'karras' },
  'DPM++ 2S a': { sampler: 'dpmpp_2s_ancestral', automatic: 'karras' },
  'DPM++ 2M': { sampler: 'dpmpp_2m', automatic: 'karras' },
  'DPM++ SDE': { sampler: 'dpmpp_sde', automatic: 'karras' },
  'DPM++ 2M SDE': { sampler: 'dpmpp_2m_sde', automatic: 'exponential' },
  'DPM++ 2M SDE Heun': { sampler: 'dpmpp_2m_sde_heun', automatic: 'exponential' },
  'DPM++ 3M SDE': { sampler: 'dpmpp_3m_sde', automatic: 'exponential' },
  'DPM fast': { sampler: 'dpm_fast' },
  'DPM adaptive': { sampler: 'dpm_adaptive' },
  DDIM: { sampler: 'ddim', automatic: 'ddim_uniform' },
  UniPC: { sampler: 'uni_pc' },
  LCM: { sampler: 'lcm', automatic: 'sgm_uniform' },
}
const withoutCounterpart = ['Restart', 'PLMS']

/**
 * Sources: A1 1.10 `modules/sd_schedulers.py` (its Uniform is the model's own spacing, as ComfyUI's normal); ComfyUI
 * `comfy/samplers.py`, `SCHEDULER_HANDLERS`. Polyexponential with A1's rho of 1 is k-diffusion's exponential.
 */
const schedulers: Readonly<Record<string, string>> = {
  Uniform: 'normal',
  Karras: 'karras',
  Exponential: 'exponential',
  Polyexponential: 'exponential',
  'SGM Uniform': 'sgm_uniform',
  'KL Optimal': 'kl_optimal',
  Simple: 'simple',
  Normal: 'normal',
  DDIM: 'ddim_uniform',
  Beta: 'beta',
}
const withoutSchedulerCounterpart = ['Align Your Steps', 'Karras Exponential']

/**
 * ComfyUI's names for a recipe's sampler and scheduler. A name that is not A1's is taken for ComfyUI's own, and ComfyUI says
 * so if it is not; the names of A1 before 1.9 ("DPM++ 2M Karras") hold both.
 * @throws AppError `backend_rejected` for what ComfyUI has not.
 */
export function comfyuiSampling(samplerName: string, scheduler: string): { sampler: string; scheduler: string } {
  const [name, suffix] = parts(samplerName)
  if (withoutCounterpart.includes(name)) throw none('sampler', name, 'Euler a or DPM++ 2M')
  if (withoutSchedulerCounterpart.includes(scheduler)) throw none('scheduler', scheduler, 'Karras or Simple')
  const known = samplers[name]
  const wanted = scheduler === 'Automatic' ? suffix : scheduler
  return {
    sampler: known?.sampler ?? name,
    scheduler: wanted === null ? (known?.automatic ?? 'normal') : (schedulers[wanted] ?? wanted),
  }
}

/** The other way round: A1's names for ComfyUI's; what A1 has not keeps its name. */
export function a1Sampling(sampler: string, scheduler: string): { samplerName: string; scheduler: string } {
  const [samplerName, known] = Object.entries(samplers).find(([, one]) => one.sampler === sampler) ?? [sampler]
  if (scheduler === (known?.automatic ?? 'normal')) return { samplerName, scheduler: 'Automatic' }
  return { samplerName, scheduler: Object.keys(schedulers).find((name) => schedulers[name] === scheduler) ?? scheduler }
}

function parts(samplerName: string): [name: string, scheduler: string | null] {
  const [, name = samplerName, scheduler = null] = samplerName.match(/^(.+) (Karras|Exponential)$/) ?? []
  return scheduler !== null && name in samplers ? [name, scheduler] : [samplerName, null]
}

const none = (what: string, name: string, instead: string): AppError =>
  new AppError('backend_rejected', `ComfyUI has no ${what} like A1's ${name}. Choose another in the recipe: ${instead}.`)
