import koffi from 'koffi'

const kernel32 = koffi.load('kernel32.dll')
const createJob = kernel32.func('void *CreateJobObjectW(void *attributes, str16 name)')
const setJobInformation = kernel32.func('int SetInformationJobObject(void *job, int kind, void *info, uint32 bytes)')
const queryJobInformation = kernel32.func(
  'int QueryInformationJobObject(void *job, int kind, void *info, uint32 bytes, void *returned)',
)
const assignToJob = kernel32.func('int AssignProcessToJobObject(void *job, void *process)')
const isInJob = kernel32.func('int IsProcessInJob(void *process, void *job, void *result)')
const currentProcess = kernel32.func('void *GetCurrentProcess()')
const openProcess = kernel32.func('void *OpenProcess(uint32 access, int inherit, uint32 pid)')
const terminateProcess = kernel32.func('int TerminateProcess(void *process, uint32 code)')
const processTimes = kernel32.func('int GetProcessTimes(void *process, void *created, void *exited, void *kernel, void *user)')
const processMemory = kernel32.func('int K32GetProcessMemoryInfo(void *process, void *counters, uint32 bytes)')
const exitCode = kernel32.func('int GetExitCodeProcess(void *process, void *code)')
const closeHandle = kernel32.func('int CloseHandle(void *handle)')
const consoleEvent = kernel32.func('int GenerateConsoleCtrlEvent(uint32 event, uint32 group)')
const lastError = kernel32.func('uint32 GetLastError()')
const snapshot = kernel32.func('void *CreateToolhelp32Snapshot(uint32 flags, uint32 pid)')
const firstProcess = kernel32.func('int Process32FirstW(void *snapshot, void *entry)')
const nextProcess = kernel32.func('int Process32NextW(void *snapshot, void *entry)')
const executionState = kernel32.func('uint32 SetThreadExecutionState(uint32 flags)')
const tickCount = kernel32.func('uint64 GetTickCount64()')

const EXTENDED_LIMITS = 9
const PROCESS_ID_LIST = 3
const EXTENDED_LIMITS_BYTES = 144
const LIMIT_FLAGS_OFFSET = 16
const KILL_ON_JOB_CLOSE = 0x2000
const TERMINATE = 0x0001
const QUERY = 0x0400
const QUERY_LIMITED = 0x1000
const STILL_ACTIVE = 259
const SNAPSHOT_PROCESSES = 2
const ENTRY_BYTES = 568
const MEMORY_COUNTERS_BYTES = 72
const WORKING_SET_OFFSET = 16
const ES_SYSTEM_REQUIRED = 0x1
const ES_CONTINUOUS = 0x8000_0000

export type JobHandle = unknown

/**
 * A job that ends all its processes when its last handle is closed, however that happens; breaking away is not allowed.
 * The handle is not inherited. This process becomes its first member, so that all that it starts is born into it.
 * @throws with the Windows error number when the job is refused (very old systems, inside another job)
 */
export function enterNewJob(): JobHandle {
  const job = createJob(null, null)
  const limits = Buffer.alloc(EXTENDED_LIMITS_BYTES)
  limits.writeUInt32LE(KILL_ON_JOB_CLOSE, LIMIT_FLAGS_OFFSET)
  if (!job || !setJobInformation(job, EXTENDED_LIMITS, limits, limits.length) || !assignToJob(job, currentProcess())) {
    throw new Error(`no job object: Windows error ${lastError()}`)
  }
  return job
}

/** The numbers of all processes of a job. */
export function listJob(job: JobHandle): number[] {
  const room = 4096
  const list = Buffer.alloc(8 + room * 8)
  queryJobInformation(job, PROCESS_ID_LIST, list, list.length, null)
  const count = list.readUInt32LE(4)
  return Array.from({ length: count }, (_, i) => Number(list.readBigUInt64LE(8 + i * 8)))
}

/** Ends a process if it belongs to the job; the open handle keeps its number from being given to another one meanwhile. */
export function terminateInJob(job: JobHandle, pid: number): void {
  withProcess(pid, TERMINATE | QUERY, (handle) => {
    const answer = Buffer.alloc(4)
    if (isInJob(handle, job, answer) && answer.readInt32LE(0)) terminateProcess(handle, 1)
  })
}

/** Ends the process that had this number at this start time. */
export function terminateIfSame(pid: number, startTime: string): boolean {
  return (
    withProcess(
      pid,
      TERMINATE | QUERY_LIMITED,
      (handle) => readStartTime(handle) === startTime && terminateProcess(handle, 1) !== 0,
    ) ?? false
  )
}

/** 100 ns steps since 1601, as text; undefined when there is no such process, or it has ended. */
export const startTimeOf = (pid: number): string | undefined =>
  withProcess(pid, QUERY_LIMITED, (handle) => (isRunning(handle) ? readStartTime(handle) : undefined))

/** The working set in bytes; 0 when there is no such process, or it is not ours to look at. */
export const workingSetBytesOf = (pid: number): number => withProcess(pid, QUERY_LIMITED, readWorkingSet) ?? 0

/** To all processes on this process's console, itself included. */
export const sendConsoleEvent = (event: 'ctrl-c' | 'ctrl-break'): boolean => consoleEvent(event === 'ctrl-c' ? 0 : 1, 0) !== 0

/** Changes with each start of the machine; in steps of ten seconds, for the clocks drift against each other. */
export const bootTime = (): string => String(Math.round((Date.now() - Number(tickCount())) / 10_000))

/** Whether the system must not fall asleep by itself; holds for this thread, and as long as it lives. False when refused. */
export const keepSystemAwake = (on: boolean): boolean =>
  executionState((ES_CONTINUOUS | (on ? ES_SYSTEM_REQUIRED : 0)) >>> 0) !== 0

/** All processes with their parents' numbers, which may be those of dead ones. */
export function listProcesses(): { pid: number; parentPid: number; threads: number; name: string }[] {
  const handle = snapshot(SNAPSHOT_PROCESSES, 0)
  const entry = Buffer.alloc(ENTRY_BYTES)
  entry.writeUInt32LE(ENTRY_BYTES, 0)
  const found: { pid: number; parentPid: number; threads: number; name: string }[] = []
  for (let more = firstProcess(handle, entry); more; more = nextProcess(handle, entry)) {
    const name = entry.toString('utf16le', 44, ENTRY_BYTES).split('\0')[0]!
    found.push({ pid: entry.readUInt32LE(8), threads: entry.readUInt32LE(28), parentPid: entry.readUInt32LE(32), name })
  }
  closeHandle(handle)
  return found
}

function withProcess<T>(pid: number, access: number, use: (handle: unknown) => T): T | undefined {
  const handle = openProcess(access, 0, pid)
  if (!handle) return undefined
  try {
    return use(handle)
  } finally {
    closeHandle(handle)
  }
}

function readStartTime(handle: unknown): string | undefined {
  const [created, ...rest] = Array.from({ length: 4 }, () => Buffer.alloc(8))
  return processTimes(handle, created, ...rest) ? String(created!.readBigUInt64LE(0)) : undefined
}

function readWorkingSet(handle: unknown): number {
  const counters = Buffer.alloc(MEMORY_COUNTERS_BYTES)
  counters.writeUInt32LE(MEMORY_COUNTERS_BYTES, 0)
  return processMemory(handle, counters, counters.length) ? Number(counters.readBigUInt64LE(WORKING_SET_OFFSET)) : 0
}

function isRunning(handle: unknown): boolean {
  const code = Buffer.alloc(4)
  return exitCode(handle, code) !== 0 && code.readUInt32LE(0) === STILL_ACTIVE
}
