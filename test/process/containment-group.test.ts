import { matrix } from './matrix.ts'

matrix('group')
