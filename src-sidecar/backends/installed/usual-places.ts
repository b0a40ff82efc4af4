import { join } from 'node:path'

const inHome = ['', 'Documents', 'Downloads', 'Desktop', 'AI', 'ai', 'apps', 'git', 'projects', 'src']

/**
 * Where servers are usually put, as folders to look below; those that are not there do no harm. Best first.
 * @param home the user's home folder
 */
export function usualPlaces(
  home: string,
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const homes = inHome.map((folder) => join(home, folder))
  // Stability Matrix: `Data` beside its program where it is portable, else in the user's application data.
  const packages = (folder: string) => [join(folder, 'Packages'), join(folder, 'Data', 'Packages')]
  if (platform === 'win32') {
    const drives = [...'CDEFGHIJKLMNOPQRSTUVWXYZ'].map((letter) => `${letter}:\\`)
    const stabilityMatrix = env.APPDATA ? packages(join(env.APPDATA, 'StabilityMatrix')) : []
    return [...homes, ...stabilityMatrix, ...drives, ...drives.flatMap((drive) => packages(join(drive, 'StabilityMatrix')))]
  }
  const shared = platform === 'darwin' ? join(home, 'Library', 'Application Support') : join(home, '.local', 'share')
  return [
    ...homes,
    ...packages(join(shared, 'StabilityMatrix')),
    ...packages(join(home, 'StabilityMatrix')),
    '/opt',
    '/workspace',
  ]
}
