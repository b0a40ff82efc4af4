import { NamespaceTree } from './namespace-tree.ts'
import { becomeSubreaper } from './native-linux.ts'
import { runShim } from './shim-core.ts'
import { SubreaperTree } from './subreaper-tree.ts'

becomeSubreaper()
// As pid 1 we are the init of a PID namespace that unshare made for us.
runShim((isLibuvChild) => (process.pid === 1 ? new NamespaceTree(isLibuvChild) : new SubreaperTree(isLibuvChild)))
