import { spawn } from 'node:child_process'

/** A user namespace too, so that it works without privileges; the caller keeps its own user id inside. */
export const unshareArgs = ['--user', '--map-current-user', '--pid', '--fork', '--kill-child=KILL', '--mount-proc']

/**
 * Whether this machine lets us make a PID namespace: some distributions, containers and quotas don't.
 * @returns undefined when it does, else why not
 */
export async function probeNamespace(unshare: string, env: Record<string, string>): Promise<string | undefined> {
  // Without a /proc of its own the backend would see wrong process numbers, so a masked /proc counts as a refusal.
  const child = spawn(
    unshare,
    [...unshareArgs, '--', 'sh', '-c', 'test $$ = 1 && read -r pid rest </proc/self/stat && test $pid = 1'],
    {
      cwd: '/',
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 5000,
      killSignal: 'SIGKILL',
    },
  )
  let said = ''
  child.stderr.on('data', (chunk) => {
    said = (said + chunk).slice(0, 500)
  })
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(code === 0 ? undefined : said.trim() || `unshare ended with ${signal ?? code}`))
  })
}
