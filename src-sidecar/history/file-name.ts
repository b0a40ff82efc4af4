/** A text as one part of a path, safe on Linux, macOS and Windows, at most `max` characters. */
export function safeFileName(text: string, max = 60): string {
  const clean = text
    .normalize('NFC')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must go
    .replace(/[\x00-\x1f\x7f<>:"/\\|?*,;]/g, ' ')
    .replace(/\s+/g, '-')
    .replace(/^[-.]+/, '')
  const cut = [...clean]
    .slice(0, max)
    .join('')
    .replace(/[-.]+$/, '')
  // Windows keeps these names for devices, whatever the ending.
  return /^(con|prn|aux|nul|com\d|lpt\d)$/i.test(cut) ? `${cut}_` : cut || 'untitled'
}

/** `2026-01-31`, in local time. */
export function localDate(ms: number): string {
  const date = new Date(ms)
  const part = (value: number) => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${part(date.getMonth() + 1)}-${part(date.getDate())}`
}
