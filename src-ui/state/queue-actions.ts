import ArrowDownToLine from '@lucide/svelte/icons/arrow-down-to-line'
import ArrowUpToLine from '@lucide/svelte/icons/arrow-up-to-line'
import Copy from '@lucide/svelte/icons/copy'
import Dices from '@lucide/svelte/icons/dices'
import Pencil from '@lucide/svelte/icons/pencil'
import X from '@lucide/svelte/icons/x'
import type { Priority } from '../../src-sidecar/contract/job.ts'
import type { MenuItem } from '../components/shared/Menu.svelte'
import { promptStart } from './format.ts'
import type { PendingList } from './pending-list.svelte.ts'
import type { QueueState } from './queue.svelte.ts'

const priorityNames: Record<Priority, string> = { high: 'High priority', normal: 'Normal priority', low: 'Low priority' }

/** What can be done with the selected jobs. */
export function jobActions(list: PendingList, edit: () => void, queue: QueueState): MenuItem[] {
  const job = list.at(list.active)
  const priority = (name: Priority): MenuItem => ({
    label: priorityNames[name],
    checked: job?.priority === name,
    parts: name === 'high',
    run: () => void list.setPriority(name),
  })
  const items: MenuItem[] = [
    { label: 'Run next', icon: ArrowUpToLine, keys: 'Alt Home', run: () => void list.toEnd('top') },
    { label: 'Move to the end', icon: ArrowDownToLine, keys: 'Alt End', run: () => void list.toEnd('bottom') },
    priority('high'),
    priority('normal'),
    priority('low'),
    { label: 'Edit…', icon: Pencil, keys: 'Enter', parts: true, run: edit },
    { label: 'Duplicate', icon: Copy, keys: 'Ctrl D', run: () => void list.duplicate(false) },
    { label: 'Duplicate with new seeds', icon: Dices, run: () => void list.duplicate(true) },
    { label: 'Cancel', icon: X, keys: 'Del', danger: true, parts: true, run: () => void list.cancel() },
  ]
  if (job)
    items.push({
      label: `Cancel all of ${promptStart(job.packName, 24)}`,
      danger: true,
      run: () => void queue.cancelMany({ packId: job.packId }),
    })
  return items
}
