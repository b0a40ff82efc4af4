import { asApiError } from '../api/api-error.ts'
import { errorText } from '../api/error-text.ts'

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
