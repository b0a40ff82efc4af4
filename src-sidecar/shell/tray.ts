/** The tray's menu, as Neutralino's `os.setTray` takes it. The icon lies where the built UI lies, so that it is packed with it. */
export const trayOptions = (paused: boolean) => ({
  icon: '/resources/ui/tray.png',
  menuItems: [
    { id: 'show', text: 'Show StableNew' },
    paused ? { id: 'resume', text: 'Resume queue' } : { id: 'pause', text: 'Pause queue' },
    { id: 'quit', text: 'Quit' },
  ],
})
