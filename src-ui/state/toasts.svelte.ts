import { asApiError } from '../api/api-error.ts'
import { errorText } from '../api/error-text.ts'
import { count } from './format.ts'
import { router } from './router.svelte.ts'

export interface Toast {
  id: number
  kind: 'done' | 'error'
  title: string
  detail?: string
  action?: { label: string; run(): void }
}

class Toasts {
  list = $state.raw<Toast[]>([])
  #lastId = 0

  show(toast: Omit<Toast, 'id'>): void {
    const id = ++this.#lastId
    this.list = [...this.list, { ...toast, id }].slice(-3)
    setTimeout(() => this.dismiss(id), toast.kind === 'error' ? 10_000 : 5000)
  }

  /** @param what in the singular */
  queued(howMany: number, what: 'image' | 'job'): void {
    this.show({
      kind: 'done',
      title: `${count(howMany, what)} queued`,
      action: { label: 'Go to queue', run: () => router.go({ page: 'queue' }) },
    })
  }

  error(error: unknown): void {
    const { code, message } = asApiError(error)
    const { title, advice } = errorText(code)
    const told = code === 'unreachable' || code === 'bad_answer' ? advice : `${message} ${advice}`
    this.show({ kind: 'error', title, detail: told })
  }

  dismiss(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id)
  }
}

export const toasts = new Toasts()
