import { url } from 'node:inspector'

/** Where a debugger is or may be attached; undefined in ordinary life. */
export const inspectorUrl = (): string | undefined => url()
