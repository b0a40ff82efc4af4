import { asError } from '../errors/app-error.ts'
import { createPosixPlatform } from './containment.posix.ts'
import type { ContainmentPlatform, PlatformOptions } from './platform.ts'

/** The best that this operating system and the setting allow. Native calls that can't be loaded mean the group level. */
export async function loadPlatform(options: PlatformOptions): Promise<ContainmentPlatform> {
  if (options.wanted === 'group' && process.platform !== 'win32') return createPosixPlatform(options)
  if (process.platform === 'win32') {
    const { createWin32Platform } = await import('./containment.win32.ts')
    return createWin32Platform(options)
  }
  if (process.platform !== 'linux') return createPosixPlatform(options, [`no subreaper on ${process.platform}`])
  try {
    const { createLinuxPlatform } = await import('./containment.linux.ts')
    return await createLinuxPlatform(options)
  } catch (thrown) {
    return createPosixPlatform(options, [`no native calls: ${asError(thrown).message}`])
  }
}
