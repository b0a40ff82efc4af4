/** Output `slot` of the node with this id. */
export type Link = readonly [id: string, slot: number]

export interface GraphNode {
  readonly class_type: string
  readonly inputs: Readonly<Record<string, unknown>>
}

/** A workflow in ComfyUI's API format: nodes by id. */
export type Graph = Readonly<Record<string, GraphNode>>

/** Puts nodes together, in the order in which they are added. */
export class GraphBuilder {
  readonly #nodes: Record<string, GraphNode> = {}

  /** @returns a function that gives the link to one of the node's outputs. */
  add(class_type: string, inputs: Record<string, unknown>): (slot?: number) => Link {
    const id = String(Object.keys(this.#nodes).length + 1)
    this.#nodes[id] = { class_type, inputs }
    return (slot = 0) => [id, slot]
  }

  get graph(): Graph {
    return this.#nodes
  }
}

/** Ids of the nodes that sample: KSampler, KSamplerAdvanced, SamplerCustom and what is made like them. */
export const samplerNodes = (graph: Graph): string[] =>
  Object.entries(graph)
    .filter(([, { class_type, inputs }]) => /sampler/i.test(class_type) && 'latent_image' in inputs)
    .map(([id]) => id)
