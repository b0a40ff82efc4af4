// WebKit takes the language of the window from LANG, and LANG=C makes it "C", which Intl refuses: whatever formats a number by
// it then throws, uPlot as soon as it is loaded, and the window stays empty. This module must be imported before all that does.
if (!isLanguage(navigator.language)) Object.defineProperty(navigator, 'language', { value: 'en', configurable: true })

function isLanguage(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1
  } catch {
    return false
  }
}
