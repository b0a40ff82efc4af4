export { waitFor } from '../../src-sidecar/lifecycle/wait-for.ts'
