import type { CloseName } from '../contract/selftest.ts'
import type { TreeWatch } from '../processes/tree-watch.ts'
import type { AppUnderTest } from './app-under-test.ts'

/** What a scenario works with. */
export interface Scene {
  readonly app: AppUnderTest
  readonly tree: TreeWatch
}

/** One thing that a user does before closing, and what must be true afterwards. */
export interface Scenario {
  readonly id: string
  readonly title: string
  readonly proves: string
  /** Arguments of the draft engine; further ones may come from the command line. */
  readonly draftArgs: string
  /** Images, as rows and as files, that there must be when all is over. */
  readonly images: number
  /** Whether it needs a backend of ours, whose processes can be looked at. */
  readonly ownBackend: boolean
  /** @throws Error saying what did not come about */
  act(scene: Scene): Promise<void>
  /** At the next launch, on the same data folder: what must still be there. @throws Error as `act` */
  next?(scene: Scene): Promise<void>
  /** Ways to close it; absent: each. `none`: `act` has ended it. */
  readonly closes?: readonly CloseName[] | 'none'
  /** What its report says; `none` where it can write none. Absent: `clean`. */
  readonly verdict?: 'clean' | 'forced' | 'none'
  /** Absent: 10 s. */
  readonly exitWithinMs?: number
  /** A module that Node loads into the app first. */
  readonly fault?: string
  /** @returns the command line that the app's own stands behind, or why it can't be run here */
  prefix?(dataDir: string): Promise<readonly string[] | string>
}
