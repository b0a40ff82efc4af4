/** What the engine says it has: names as A1 lists them, so that a client's choices carry over. */

/** The one "checkpoint". It says what it is. */
export const modelName = 'StableNew Draft (no model)'
/** Stands in infotexts; changes when the same input no longer gives the same pixels. */
export const painterVersion = 'draft-1'

const samplerNames: [name: string, alias: string, scheduler?: string][] = [
  ['DPM++ 2M', 'k_dpmpp_2m', 'karras'],
  ['DPM++ SDE', 'k_dpmpp_sde', 'karras'],
  ['DPM++ 2M SDE', 'k_dpmpp_2m_sde', 'exponential'],
  ['DPM++ 2M SDE Heun', 'k_dpmpp_2m_sde_heun', 'exponential'],
  ['DPM++ 2S a', 'k_dpmpp_2s_a', 'karras'],
  ['DPM++ 3M SDE', 'k_dpmpp_3m_sde', 'exponential'],
  ['Euler a', 'k_euler_a'],
  ['Euler', 'k_euler'],
  ['LMS', 'k_lms'],
  ['Heun', 'k_heun'],
  ['DPM2', 'k_dpm_2', 'karras'],
  ['DPM2 a', 'k_dpm_2_a', 'karras'],
  ['DPM fast', 'k_dpm_fast'],
  ['DPM adaptive', 'k_dpm_ad'],
  ['Restart', 'restart', 'karras'],
  ['DDIM', 'ddim'],
  ['PLMS', 'plms'],
  ['UniPC', 'unipc'],
  ['LCM', 'k_lcm'],
]

export const samplers = samplerNames.map(([name, alias, scheduler]) => ({
  name,
  aliases: [alias],
  options: scheduler ? { scheduler } : {},
}))

export const schedulers = (
  [
    ['automatic', 'Automatic'],
    ['uniform', 'Uniform'],
    ['karras', 'Karras'],
    ['exponential', 'Exponential'],
    ['polyexponential', 'Polyexponential'],
    ['sgm_uniform', 'SGM Uniform', 'SGMUniform'],
    ['kl_optimal', 'KL Optimal'],
    ['align_your_steps', 'Align Your Steps'],
    ['simple', 'Simple'],
    ['normal', 'Normal'],
    ['ddim', 'DDIM'],
    ['beta', 'Beta'],
  ] as const
).map(([name, label, alias]) => ({
  name,
  label,
  aliases: alias ? [alias] : null,
  default_rho: -1,
  need_inner_model: false,
}))

export const upscalers = ['None', 'Lanczos', 'Nearest'].map((name) => ({
  name,
  model_name: null,
  model_path: null,
  model_url: null,
  scale: 4,
}))

export const latentUpscaleModes = ['Latent', 'Latent (bicubic)', 'Latent (nearest-exact)'].map((name) => ({ name }))

export const models = [
  { title: modelName, model_name: modelName, hash: null, sha256: null, filename: 'stablenew-draft', config: null },
]

/** A sampler and the scheduler's label. */
export interface Sampling {
  readonly sampler: string
  readonly scheduler: string
}

/**
 * Sorts out names as A1 does (modules/sd_samplers.py, get_sampler_and_scheduler): a scheduler at the end of the sampler's name
 * ("DPM++ 2M Karras") counts, an unknown scheduler is Automatic, which means the sampler's own. No name: the first sampler.
 * Returns null for an unknown sampler, which A1 1.7 answers with 404.
 */
export function findSampling(samplerName: string | null, schedulerName: string | null): Sampling | null {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()
  const namesOf = (scheduler: (typeof schedulers)[number]): string[] => [
    scheduler.label,
    scheduler.name,
    ...(scheduler.aliases ?? []),
  ]
  const find = (name: string) => samplers.find((s) => same(s.name, name) || s.aliases.some((alias) => same(alias, name)))
  const name = samplerName || samplers[0]!.name
  let scheduler = schedulers.find((s) => schedulerName && namesOf(s).includes(schedulerName)) ?? schedulers[0]!
  let sampler = find(name)
  for (const candidate of sampler ? [] : schedulers) {
    const suffix = namesOf(candidate).find((option) => name.endsWith(` ${option}`) && find(name.slice(0, -option.length - 1)))
    if (!suffix) continue
    scheduler = candidate
    sampler = find(name.slice(0, -suffix.length - 1))
    break
  }
  if (!sampler) return null
  const own = schedulers.find((s) => s.name === sampler.options.scheduler)
  return { sampler: sampler.name, scheduler: (scheduler === schedulers[0] && own ? own : scheduler).label }
}
