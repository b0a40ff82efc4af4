import { NamespaceTree } from './namespace-tree.ts'
import { becomeSubreaper, closeOnExec } from './native-linux.ts'
import { runShim } from './shim-core.ts'
import { SubreaperTree } from './subreaper-tree.ts'

// The backend must not hold our end of the lifeline.
closeOnExec(3)
becomeSubreaper()
// As pid 1 we are the init of a PID namespace that unshare made for us.
runShim((isLibuvChild) => (process.pid === 1 ? new NamespaceTree(isLibuvChild) : new SubreaperTree(isLibuvChild)))
