import { GenerationLock } from './generation-lock.ts'
import { GenerationState } from './generation-state.ts'
import { Options } from './options.ts'
import { TaskList } from './task-list.ts'

/** What all requests share. */
export interface Engine {
  readonly stepMs: number
  /** Called after each step with its share of the image, 0 to 1; the next step waits for it. */
  readonly onStep: (share: number) => Promise<void>
  readonly lock: GenerationLock
  readonly state: GenerationState
  readonly tasks: TaskList
  readonly options: Options
}

export function createEngine(stepMs: number, onStep: Engine['onStep'] = async () => {}): Engine {
  return {
    stepMs,
    onStep,
    lock: new GenerationLock(),
    state: new GenerationState(),
    tasks: new TaskList(),
    options: new Options(),
  }
}
