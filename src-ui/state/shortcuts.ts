import type { App } from './app.svelte.ts'
import type { Route } from './route.ts'
import { router } from './router.svelte.ts'

const pages: Record<string, Route> = {
  '1': { page: 'packs' },
  '2': { page: 'queue' },
  '3': { page: 'gallery' },
  '4': { page: 'learning' },
  '5': { page: 'diagnostics' },
}

/** The app-wide keys. Never while something is typed or a dialog is open. */
export function takeShortcut(event: KeyboardEvent, app: App): void {
  if (event.defaultPrevented || event.altKey || isTyping(event.target)) return
  if (event.key === ',' && (event.ctrlKey || event.metaKey)) {
    event.preventDefault()
    app.dialog = 'settings'
    return
  }
  if (event.ctrlKey || event.metaKey || document.querySelector('dialog[open]')) return
  const route = pages[event.key]
  if (route) router.go(route)
  else if (event.key === '?') app.dialog = 'keys'
  else if (event.key === '/') focusSearch()
  else return
  event.preventDefault()
}

function focusSearch(): void {
  if (router.route.page !== 'gallery' && router.route.page !== 'packs') router.go({ page: 'packs' })
  requestAnimationFrame(() => document.querySelector<HTMLInputElement>('input[type=search]')?.focus())
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
    !isTick(target)
  )
}

const isTick = (target: HTMLElement) => target instanceof HTMLInputElement && ['checkbox', 'radio'].includes(target.type)
