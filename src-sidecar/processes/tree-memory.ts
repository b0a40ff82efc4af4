import { readProcessTable } from './process-table.ts'

/** Resident bytes of all that runs below a guard, without the guard; 0 when it is gone. */
export const treeRssBytes = (guardPid: number): number =>
  readProcessTable(guardPid).reduce((sum, { rssBytes }) => sum + rssBytes, 0)
