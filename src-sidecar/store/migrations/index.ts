import { initial } from './001-initial.ts'
import { severalBackends } from './002-several-backends.ts'
import { orderedQueue } from './003-queue.ts'
import { pipeline } from './004-pipeline.ts'
import { history } from './005-history.ts'
import { learning } from './006-learning.ts'
import { filesAndRows } from './007-files-and-rows.ts'

/** In order; a database's `user_version` counts those that it has. Never edit one that was released: add one. */
export const migrations: readonly string[] = [initial, severalBackends, orderedQueue, pipeline, history, learning, filesAndRows]
