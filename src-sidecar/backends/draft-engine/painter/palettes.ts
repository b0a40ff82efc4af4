import { type Colour, colour } from './colour.ts'

/** Five colours from deepest to lightest, and an accent for what glows. */
export interface Palette {
  readonly name: string
  readonly stops: readonly Colour[]
  readonly accent: Colour
}

function palette(name: string, stops: string, accent: string): Palette {
  return { name, stops: stops.split(' ').map(colour), accent: colour(accent) }
}

export const palettes: readonly Palette[] = [
  palette('sunset', '#1b1035 #5b2166 #c2416b #f6875b #ffd9a0', '#ffe9b8'),
  palette('dawn', '#2b3a67 #6a6fa8 #c58fb5 #f7b9a5 #ffe8d1', '#fff3d6'),
  palette('ocean', '#04162e #0b3c5d #1d7a9c #6cc3c9 #e3f4ee', '#fff2cf'),
  palette('forest', '#0b1f1a #1c4034 #4c7a57 #a3b87a #f0ecc8', '#fff4c4'),
  palette('night', '#050816 #111a3d #2b3570 #6a5fa6 #c9b8e8', '#f3f0ff'),
  palette('aurora', '#061024 #0d2b45 #0f6b6b #4fd1a1 #d3ffe0', '#b6ffdd'),
  palette('desert', '#3a1620 #8a3b2b #d47b45 #f1b777 #fbe6c3', '#fff1cc'),
  palette('autumn', '#2a0f14 #6e1f1b #b8452a #e58f3d #f8d99b', '#fff0c2'),
  palette('winter', '#17263f #3d5f86 #86abc9 #c8dcea #f7fbff', '#ffffff'),
  palette('rose', '#2c0b2e #7a1f5c #d1477f #f59bb0 #ffe4e1', '#fff0ec'),
  palette('neon', '#090422 #2a0a6b #8a16b8 #f02fa0 #45e0ff', '#9ff6ff'),
  palette('lilac', '#1e1842 #4a3a8c #8f79cf #cbb7ef #f7efff', '#fff6ff'),
  palette('teal', '#0a2230 #12505b #2b8c87 #8fd0b5 #f5f0dc', '#ffd9a8'),
  palette('gold', '#1c1209 #5a3714 #b07c2a #e6c06a #fff3d2', '#fff7de'),
  palette('mono', '#0d0f14 #2c3139 #6a717c #b4bac2 #f4f5f6', '#ffffff'),
]
