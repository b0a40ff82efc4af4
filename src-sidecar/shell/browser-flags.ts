export interface AppWindowOptions {
  readonly url: string
  /** The browser's own folder, used by nobody else. */
  readonly profileFolder: string
  readonly isRoot: boolean
}

/** Chromium's command line for one clean app window. */
export const appWindowFlags = ({ url, profileFolder, isRoot }: AppWindowOptions): string[] => [
  `--app=${url}`,
  `--user-data-dir=${profileFolder}`,
  '--class=stablenew',
  '--name=stablenew',
  '--window-size=1280,860',
  '--no-first-run',
  '--no-default-browser-check',
  '--no-service-autorun',
  '--hide-crash-restore-bubble',
  // Nothing that stays, phones home or asks.
  '--disable-background-mode',
  '--disable-background-networking',
  '--disable-breakpad',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-extensions',
  '--disable-sync',
  '--disable-features=Translate,MediaRouter,OptimizationHints,GlobalMediaControls',
  '--no-pings',
  '--password-store=basic',
  '--use-mock-keychain',
  // A hidden or covered window must see the queue move on.
  '--disable-backgrounding-occluded-windows',
  // Chromium refuses its sandbox to root; --test-type takes away the warning about that.
  ...(isRoot ? ['--no-sandbox', '--test-type'] : []),
]
