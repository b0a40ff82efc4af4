import { SvelteSet } from 'svelte/reactivity'
import type { Job } from '../../src-sidecar/contract/job.ts'
import { type JobChange, maxJobsChanged } from '../../src-sidecar/contract/queue-request.ts'
import type { Api } from '../api/client.ts'
import { count } from './format.ts'
import { type PendingRows, withMoved, withPage, withPendingJob } from './pending-rows.ts'
import { toasts } from './toasts.svelte.ts'

const pageSize = 100

/** The pending jobs, however many: the pages that are looked at are fetched, and fetched anew when the queue changes. */
export class PendingList {
  rows = $state.raw<PendingRows>([])
  readonly selected = new SvelteSet<number>()
  /** The row that the keyboard is at. */
  active = $state(0)
  /** Where a range began. */
  #rangeFrom = 0
  readonly #api: Api
  #seen: [number, number] = [0, pageSize]
  /** Of the queue, as far as it was told; a page of an older one is fetched again when it is seen. */
  #version = 0
  readonly #versions = new Map<number, number>()
  #fetching: Promise<void> | undefined
  #again = false

  constructor(api: Api) {
    this.#api = api
  }

  /** What is on the screen: first row, and behind the last. */
  show(first: number, last: number): void {
    this.#seen = [first, last]
    if (this.#missing.length > 0) void this.#fetch()
  }

  /** The queue is another than it was. */
  refresh(total: number): Promise<void> {
    this.#version++
    if (total !== this.rows.length) this.rows = withPage(this.rows, [], 0, total)
    this.#forgetLost()
    return this.#fetch()
  }

  apply(job: Job): void {
    this.rows = withPendingJob(this.rows, job)
    if (job.state !== 'queued' && job.state !== 'interrupted') this.selected.delete(job.id)
  }

  at(index: number): Job | undefined {
    return this.rows[index]?.job
  }

  /** With `more` it stays selected what was, with `range` all from the last one on are. */
  async select(index: number, { range = false, more = false } = {}): Promise<void> {
    this.active = Math.max(0, Math.min(index, this.rows.length - 1))
    const id = this.at(this.active)?.id
    if (range) {
      const [from, to] = [Math.min(this.#rangeFrom, this.active), Math.max(this.#rangeFrom, this.active)]
      const ids = await this.#ids(from, to - from + 1)
      this.selected.clear()
      for (const one of ids) this.selected.add(one)
      return
    }
    this.#rangeFrom = this.active
    if (id === undefined) return
    if (!more) this.selected.clear()
    if (!this.selected.delete(id)) this.selected.add(id)
  }

  async selectAll(): Promise<void> {
    for (const id of await this.#ids(0, this.rows.length)) this.selected.add(id)
    if (this.rows.length > maxJobsChanged)
      toasts.show({
        kind: 'done',
        title: `The first ${maxJobsChanged.toLocaleString('en')} are selected`,
        detail: 'So many can be changed at once.',
      })
  }

  clear(): void {
    this.selected.clear()
  }

  /** The selected ones, else the one that the keyboard is at. */
  get chosen(): number[] {
    if (this.selected.size > 0) return [...this.selected]
    const id = this.at(this.active)?.id
    return id === undefined ? [] : [id]
  }

  /** Before the place that has this index now. */
  async moveTo(index: number): Promise<void> {
    const ids = new Set(this.chosen)
    const at = this.rows.findIndex((row, place) => place >= index && !(row && ids.has(row.job.id)))
    const beside = this.rows[at]
    if (at >= 0 && beside === undefined) return
    const activeId = this.at(this.active)?.id
    this.rows = withMoved(this.rows, ids, index)
    this.#follow(activeId)
    await this.#do(() => this.#api.moveJobs([...ids], beside ? { before: beside.job.id } : { to: 'bottom' }))
  }

  /** One place up or down, as a block. */
  async step(by: -1 | 1): Promise<void> {
    const ids = new Set(this.chosen)
    const isChosen = (row: PendingRows[number]) => row !== undefined && ids.has(row.job.id)
    const [first, last] = [this.rows.findIndex(isChosen), this.rows.findLastIndex(isChosen)]
    if (first >= 0) await this.moveTo(by < 0 ? Math.max(0, first - 1) : Math.min(this.rows.length, last + 2))
  }

  async toEnd(to: 'top' | 'bottom'): Promise<void> {
    const ids = this.chosen
    this.active = to === 'top' ? 0 : this.rows.length - 1
    await this.#do(() => this.#api.moveJobs(ids, { to }))
  }

  setPriority = (priority: Job['priority']) => this.#do(() => this.#api.setPriority(this.chosen, priority))

  /** @returns whether it was changed */
  edit = (ids: readonly number[], change: JobChange) => this.#do(() => this.#api.editJobs(ids, change))

  duplicate = (newSeeds: boolean) => this.#do(() => this.#api.duplicateJobs(this.chosen, newSeeds))

  async cancel(ids: readonly number[] = this.chosen): Promise<void> {
    if (ids.length === 0) return
    await this.#do(async () => told(this.#api, await this.#api.cancelJobs({ ids: [...ids] })))
    for (const id of ids) this.selected.delete(id)
  }

  /** What the change was told to be follows as an event; this page has it at once. */
  async #do(change: () => Promise<unknown>): Promise<boolean> {
    let changed = true
    try {
      await change()
    } catch (error) {
      toasts.error(error)
      changed = false
    }
    this.#version++
    await this.#fetch()
    return changed
  }

  #follow(id: number | undefined): void {
    const index = this.rows.findIndex((row) => row?.job.id === id)
    if (id !== undefined && index >= 0) this.active = index
  }

  async #ids(offset: number, wanted: number): Promise<number[]> {
    const known = this.rows.slice(offset, offset + wanted).flatMap((row) => row?.job.id ?? [])
    if (known.length === wanted) return known.slice(0, maxJobsChanged)
    try {
      return (await this.#api.pendingIds(Math.min(wanted, maxJobsChanged), offset)).jobIds
    } catch (error) {
      toasts.error(error)
      return []
    }
  }

  /** Pages that are seen and not as the queue is now. */
  get #missing(): number[] {
    const [first, last] = this.#seen
    const pages: number[] = []
    for (let page = Math.floor(first / pageSize); page * pageSize < Math.min(last, Math.max(1, this.rows.length)); page++)
      if (this.#versions.get(page) !== this.#version) pages.push(page)
    return pages
  }

  /** One at a time; what is asked for meanwhile follows. */
  #fetch(): Promise<void> {
    this.#again = true
    // A lost sidecar is the connection's to notice.
    this.#fetching ??= this.#fetchAll()
      .catch(() => {
        this.#again = false
      })
      .finally(() => {
        this.#fetching = undefined
        if (this.#again) void this.#fetch()
      })
    return this.#fetching
  }

  async #fetchAll(): Promise<void> {
    while (this.#again) {
      this.#again = false
      for (const page of this.#missing) {
        const version = this.#version
        const activeId = this.at(this.active)?.id
        const { pending, pendingTimes, pendingTotal } = await this.#api.pending(pageSize, page * pageSize)
        const fetched = pending.map((job, index) => ({ job, time: pendingTimes[index]! }))
        this.rows = withPage(this.rows, fetched, page * pageSize, pendingTotal)
        this.#versions.set(page, version)
        this.#follow(activeId)
      }
      if (this.#missing.length > 0 && this.rows.length > 0) this.#again = true
    }
    this.active = Math.max(0, Math.min(this.active, this.rows.length - 1))
  }

  /** Selected ones that were seen to leave are told by events; after a reconnect nothing tells. */
  #forgetLost(): void {
    if (this.rows.length === 0) this.selected.clear()
  }
}

/** Says how many were cancelled, with a way back. */
export function told(api: Api, { cancelled, undo }: { cancelled: number; undo: number | null }): void {
  if (cancelled === 0) return
  const title = `${count(cancelled, 'job')} cancelled`
  const putBack = () => void api.undoCancel(undo!).catch((error) => toasts.error(error))
  toasts.show({ kind: 'done', title, ...(undo !== null && { action: { label: 'Undo', run: putBack } }) })
}
