/** File systems take 255 bytes a name; a number, a seed and the mark of a temporary file come on top. */
const usualMaxBytes = 120
const bytes = new TextEncoder()

/** Windows keeps these names for devices, whatever the ending. */
const device = /^(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$)(\.|$)/i

/** A text as one part of a path, safe on Linux, macOS and Windows, at most `max` characters and `maxBytes` in UTF-8. */
export function safeFileName(text: string, max = 60, maxBytes = usualMaxBytes): string {
  const clean = text
    .normalize('NFC')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must go
    .replace(/[\x00-\x1f\x7f<>:"/\\|?*,;]/g, ' ')
    .replace(/\s+/g, '-')
    .replace(/^[-.]+/, '')
  const characters = [...clean].slice(0, max)
  while (bytes.encode(characters.join('')).length > maxBytes) characters.pop()
  const cut = characters.join('').replace(/[-.]+$/, '')
  return device.test(cut) ? `_${cut}` : cut || 'untitled'
}

/** `2026-01-31`, in local time. */
export function localDate(ms: number): string {
  const date = new Date(ms)
  const part = (value: number) => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${part(date.getMonth() + 1)}-${part(date.getDate())}`
}
