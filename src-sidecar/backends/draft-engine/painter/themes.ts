import { type Palette, palettes } from './palettes.ts'
import { pick, type Random } from './random.ts'
import type { Scene } from './scene.ts'
import { bloom } from './scenes/bloom.ts'
import { cosmos } from './scenes/cosmos.ts'
import { landscape } from './scenes/landscape.ts'
import { ocean } from './scenes/ocean.ts'
import { orbs } from './scenes/orbs.ts'
import { portrait } from './scenes/portrait.ts'
import { ribbons } from './scenes/ribbons.ts'

interface Theme {
  readonly scene: Scene
  /** Palettes that suit it, when the prompt names no colour. */
  readonly palettes: string
  /** Words that call for it, as beginnings: "mountain" is also "mountains". */
  readonly words: string
}

const themes: readonly Theme[] = [
  {
    scene: portrait,
    palettes: 'rose dawn teal sunset lilac gold',
    words:
      'portrait woman man girl boy face person people knight queen king warrior wizard witch princess samurai lady elf model headshot',
  },
  {
    scene: cosmos,
    palettes: 'night aurora neon lilac sunset teal',
    words: 'space galaxy galaxies planet nebula astronaut cosmos cosmic universe spaceship alien',
  },
  {
    scene: landscape('city'),
    palettes: 'neon sunset dawn night',
    words: 'city cities skyline street tower building cyberpunk town tokyo york urban downtown',
  },
  {
    scene: landscape('mountains'),
    palettes: 'dawn sunset teal winter aurora lilac',
    words: 'lake river fjord reflection pond aurora',
  },
  {
    scene: ocean,
    palettes: 'ocean sunset dawn teal',
    words: 'ocean sea beach wave coast ship boat sail harbor harbour island surf lighthouse whale',
  },
  {
    scene: landscape('forest'),
    palettes: 'forest dawn teal autumn',
    words: 'forest wood tree jungle pine deer fox wolf cabin mist fog fern moss',
  },
  {
    scene: landscape('mountains'),
    palettes: 'dawn lilac sunset winter teal',
    words: 'mountain alp peak valley canyon cliff glacier volcano castle dragon snow',
  },
  { scene: landscape('dunes'), palettes: 'desert sunset gold', words: 'desert dune sahara camel sand pyramid' },
  {
    scene: landscape('hills'),
    palettes: 'dawn forest sunset autumn',
    words: 'hill meadow field farm village countryside landscape vineyard horse windmill cottage sunset sunrise sky',
  },
  {
    scene: bloom,
    palettes: 'rose lilac sunset gold',
    words: 'flower rose bloom garden lotus tulip blossom petal dahlia peony botanical butterfl bouquet orchid',
  },
  {
    scene: ribbons,
    palettes: 'rose gold teal lilac ocean neon',
    words: 'silk ribbon abstract smoke liquid fabric flow dress cloth fluid wallpaper texture fire flame',
  },
  {
    scene: orbs,
    palettes: 'dawn lilac teal rose neon ocean',
    words: 'orb sphere glass bubble product render ball still fruit cup bottle toy robot minimal',
  },
]

const colourWords: Readonly<Record<string, string>> = {
  sunset: 'sunset dusk golden-hour evening fire flame lava',
  dawn: 'dawn sunrise morning pastel soft spring',
  ocean: 'blue underwater azure navy',
  forest: 'green emerald jungle moss',
  night: 'night midnight moon moonlight moonlit starry dark',
  aurora: 'aurora borealis northern',
  desert: 'desert orange sand terracotta dune',
  autumn: 'autumn fall red maple crimson scarlet',
  winter: 'winter snow snowy ice icy frozen glacier white arctic',
  rose: 'pink rose magenta cherry sakura',
  neon: 'neon cyberpunk synthwave vaporwave futuristic',
  lilac: 'purple violet lavender lilac',
  teal: 'teal turquoise cyan mint',
  gold: 'gold golden yellow amber honey brass',
  mono: 'monochrome noir charcoal grayscale greyscale ink',
}

/** What a prompt asks for: the first word that calls for a scene chooses it, likewise the palette; chance fills the rest in. */
export function chooseTheme(words: readonly string[], random: Random): { scene: Scene; palette: Palette } {
  const startsWith = (list: string) => words.findIndex((word) => list.split(' ').some((start) => word.startsWith(start)))
  const first = <T>(items: readonly T[], place: (item: T) => number): T | null =>
    items
      .map((item) => ({ item, at: place(item) }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => a.at - b.at)[0]?.item ?? null
  const freely = pick(
    random,
    themes.filter(({ scene }) => scene !== portrait),
  )
  const theme = first(themes, ({ words: list }) => startsWith(list)) ?? freely
  const named = first(Object.entries(colourWords), ([, list]) => words.findIndex((word) => list.split(' ').includes(word)))
  const name = named?.[0] ?? pick(random, theme.palettes.split(' '))
  return { scene: theme.scene, palette: palettes.find((palette) => palette.name === name) ?? palettes[0]! }
}
