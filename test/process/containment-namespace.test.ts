import { matrix } from './matrix.ts'

matrix('namespace')
