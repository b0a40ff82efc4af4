import type { ApiErrorCode } from './api-error.ts'

/** What happened, and what to do about it. */
export interface ErrorText {
  title: string
  advice: string
}

const texts: Record<ApiErrorCode, ErrorText> = {
  bad_request: { title: 'That was not understood', advice: 'Check the values and try again.' },
  unauthorized: { title: 'This page is no longer signed in', advice: 'Open StableNew again from where you started it.' },
  forbidden_origin: { title: 'This address may not use StableNew', advice: 'Open StableNew again from where you started it.' },
  not_found: { title: 'Not found', advice: 'It may have been removed. Go back and choose again.' },
  too_large: { title: 'Too much at once', advice: 'Take a smaller part.' },
  shutting_down: { title: 'StableNew is closing', advice: 'Start it again to go on.' },
  conflict: { title: 'Something else changed it first', advice: 'Look at the current state and try again.' },
  internal: { title: 'Something went wrong', advice: 'Try again. The log says more.' },
  pack_broken: { title: 'The pack has an error', advice: 'Correct the line it names and save the file.' },
  pack_not_found: { title: 'The pack is gone', advice: 'Its file was moved or deleted. Put it back or choose another.' },
  job_not_found: { title: 'The job is gone', advice: 'It is no longer in the queue.' },
  image_not_found: { title: 'The image is gone', advice: 'Its file was moved or deleted.' },
  picture_unreadable: { title: 'That is no picture', advice: 'Take a PNG, JPEG or WebP.' },
  job_state: { title: 'Too late for that', advice: 'The job has moved on in the meantime.' },
  settings_broken: { title: 'The settings could not be read', advice: 'They were set aside. Check them and save again.' },
  database_newer: { title: 'The data is from a newer StableNew', advice: 'Update StableNew to open it.' },
  database_broken: {
    title: 'The database is damaged',
    advice: 'Close StableNew and start it again: it puts a backup in its place.',
  },
  already_running: { title: 'StableNew is already running', advice: 'Use the window that is open.' },
  backend_unreachable: { title: 'The backend does not answer', advice: 'Start it, or check its address in Settings.' },
  backend_rejected: {
    title: 'The backend refused the job',
    advice: 'Check size, sampler and the sign-in in Settings, then retry.',
  },
  backend_bad_answer: { title: 'The backend gave an unusable answer', advice: 'See its own log, then retry.' },
  backend_out_of_memory: {
    title: 'The backend ran out of memory',
    advice: 'Use a smaller size, close what else uses the GPU, then retry.',
  },
  backend_start_failed: { title: 'The backend did not start', advice: 'Its own log says more.' },
  backend_ended: { title: 'The backend ended', advice: 'It is started again with the next image. Its own log says more.' },
  backend_hung: { title: 'The backend hangs', advice: 'If that happens again, its own log may say why.' },
  disk: { title: 'It could not be saved', advice: 'Free some space or check the folder, then retry.' },
  timeout: { title: 'It took too long', advice: 'See whether the backend is still working, then retry.' },
  spawn_failed: { title: 'A program did not start', advice: 'The log says which one and why.' },
  not_stopped: { title: 'Something did not stop', advice: 'The log says what was left.' },
  unreachable: { title: 'StableNew does not answer', advice: 'It may be closing. Try again in a moment.' },
  bad_answer: { title: 'Page and app do not match', advice: 'Reload the page.' },
}

export function errorText(code: ApiErrorCode): ErrorText {
  return texts[code]
}
