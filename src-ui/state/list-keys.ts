import type { PendingList } from './pending-list.svelte.ts'

export interface ListKeyOptions {
  /** Rows that PageUp and PageDown go. */
  readonly page: number
  readonly edit: () => void
  readonly openMenu: () => void
}

/** The keys of the list of pending jobs. @returns whether it was one of them. */
export async function takeListKey(
  event: KeyboardEvent,
  list: PendingList,
  { page, edit, openMenu }: ListKeyOptions,
): Promise<boolean> {
  const { key, altKey, shiftKey } = event
  const command = event.ctrlKey || event.metaKey
  const last = list.rows.length - 1
  const to: Record<string, number> = {
    ArrowUp: list.active - 1,
    ArrowDown: list.active + 1,
    PageUp: list.active - page,
    PageDown: list.active + page,
    Home: 0,
    End: last,
  }
  const target = to[key]
  const take = () => {
    event.preventDefault()
    event.stopPropagation()
    return true
  }
  if (altKey) {
    const moves: Record<string, () => Promise<void>> = {
      ArrowUp: () => list.step(-1),
      ArrowDown: () => list.step(1),
      Home: () => list.toEnd('top'),
      End: () => list.toEnd('bottom'),
    }
    const move = moves[key]
    if (move === undefined) return false
    take()
    await move()
    return true
  }
  if (target !== undefined) {
    take()
    if (command) list.active = Math.max(0, Math.min(last, target))
    else await list.select(target, { range: shiftKey })
    return true
  }
  if (key === ' ') {
    take()
    await list.select(list.active, { more: true, range: shiftKey })
  } else if (command && key.toLowerCase() === 'a') {
    take()
    await list.selectAll()
  } else if (command && key.toLowerCase() === 'd') {
    take()
    await list.duplicate(false)
  } else if (key === 'Enter' && !command) {
    take()
    edit()
  } else if (key === 'Delete' || key === 'Backspace') {
    take()
    await list.cancel()
  } else if (key === 'Escape' && list.selected.size > 0) {
    take()
    list.clear()
  } else if (key === 'ContextMenu' || (key === 'F10' && shiftKey)) {
    take()
    openMenu()
  } else return false
  return true
}
