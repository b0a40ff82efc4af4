import { GroupTree } from './group-tree.ts'
import { SPAWN_ID } from './run-token.ts'
import { runShim } from './shim-core.ts'

// The guardian where there are no native calls to be had: it knows the tree by group, descent and mark.
const spawnId = process.env[SPAWN_ID] ?? ''
runShim(() => new GroupTree(spawnId))
