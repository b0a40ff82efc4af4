import { GenerationLock } from './generation-lock.ts'
import { GenerationState } from './generation-state.ts'
import { Options } from './options.ts'
import { TaskList } from './task-list.ts'

/** What all requests share. */
export interface Engine {
  readonly stepMs: number
  readonly lock: GenerationLock
  readonly state: GenerationState
  readonly tasks: TaskList
  readonly options: Options
}

export function createEngine(stepMs: number): Engine {
  return { stepMs, lock: new GenerationLock(), state: new GenerationState(), tasks: new TaskList(), options: new Options() }
}
