import { join } from 'node:path'
import type { Backend } from './backends/backend.ts'
import { backendDeadlines } from './backends/backend-deadlines.ts'
import { ComfyuiClient } from './backends/comfyui/comfyui-client.ts'
import { DraftBackend } from './backends/draft-backend.ts'
import { ManagedBackend } from './backends/managed-backend.ts'
import { SdapiClient } from './backends/sdapi/sdapi-client.ts'
import { ServerBackend } from './backends/server-backend.ts'
import type { BackendSettings } from './contract/settings.ts'
import type { CoreOptions } from './core.ts'
import type { Containment } from './processes/spawn-contained.ts'

/** The backend that these settings describe. It is not started. */
export function makeBackend(
  settings: BackendSettings,
  options: CoreOptions,
  containment: Containment,
  onStatus: () => void,
): Backend {
  const { notice, remark, serverMode, folders } = options
  const logFile = join(folders.log, `backend-${settings.id}.log`)
  if (settings.kind !== 'draft') {
    const deadlines = { ...backendDeadlines, stallMs: settings.hungAfterMin * 60_000 }
    const client =
      settings.kind === 'sdapi' ? new SdapiClient(settings, { deadlines }) : new ComfyuiClient(settings, { deadlines })
    const what = settings.kind === 'sdapi' ? 'WebUI' : 'ComfyUI'
    const { managed } = settings
    if (managed === null) return new ServerBackend(settings, what, client, onStatus)
    return new ManagedBackend({ settings, what, client, managed, containment, logFile, onStatus, remark })
  }
  const args = ['--step-ms', String(settings.stepMs), ...options.draftArgs]
  return new DraftBackend({ settings, containment, args, logFile, onStatus, persistent: serverMode, notice, remark })
}
