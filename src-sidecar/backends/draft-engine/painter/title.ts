/** What prompts say about quality rather than about the picture. */
const boosters =
  /^(masterpiece|(best|high|top|ultra) quality|(ultra|highly|very|extremely|intricate|insanely)?[ -]?detail(s|ed)?|\d+k( uhd)?|uhd|hdr|award[ -]winning|trending on .*|sharp focus|photorealistic|realistic|absurdres|raw photo|professional|.*artstation.*)$/i

/**
 * A prompt as a title: without LoRA tags, weights, brackets and quality words, whole phrases as long as they fit in `maxLength`
 * characters, then an ellipsis. Empty when nothing is left.
 */
export function titleOf(prompt: string, maxLength = 72): string {
  const plain = prompt
    .replace(/<[^>]*>/g, ' ')
    .replace(/\b(BREAK|AND)\b/g, ',')
    .replace(/:\s*-?[\d.]+(?=\s*[)\]])/g, '')
    .replace(/[()[\]{}|\\]/g, ' ')
  const phrases = plain
    .split(/[,;\n]+/)
    .map((phrase) => phrase.replace(/\s+/g, ' ').trim())
    .filter((phrase) => phrase && !boosters.test(phrase))
  let title = ''
  for (const phrase of phrases) {
    const longer = title ? `${title}, ${phrase}` : phrase
    if (longer.length > maxLength) break
    title = longer
  }
  if (!title && phrases[0]) title = `${phrases[0].slice(0, maxLength).replace(/\s+\S*$/, '')}…`
  return title.charAt(0).toUpperCase() + title.slice(1)
}
