import type { Value } from '../../contract/variables.ts'

interface About {
  /** Id of what differs. */
  readonly variable: string
  /** Checkpoint as the backend named it; empty where that is what differs. */
  readonly model: string
  /** Null: a text of the user's own. */
  readonly packId: string | null
  readonly packName: string
  readonly prompt: string
  readonly from: 'experiment' | 'gallery'
}

/** An image that was rated, as one of a block: images that differ in nothing but this variable. */
export interface StarsObservation extends About {
  readonly review: 'stars'
  readonly block: string
  readonly value: Value
  readonly score: number
}

/** Two images that were compared and differ in nothing but this variable. */
export interface PairObservation extends About {
  readonly review: 'pairs'
  /** Prompt and seed. */
  readonly block: string
  readonly a: Value
  readonly b: Value
  readonly won: number
}

export type Observation = StarsObservation | PairObservation
