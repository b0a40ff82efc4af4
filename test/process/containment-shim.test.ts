import { matrix } from './matrix.ts'

matrix('shim')
