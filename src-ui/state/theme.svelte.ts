export const themes = ['system', 'light', 'dark'] as const
export type ThemeChoice = (typeof themes)[number]

const key = 'stablenew.theme'

class Theme {
  #choice = $state<ThemeChoice>(stored())

  get choice(): ThemeChoice {
    return this.#choice
  }

  set choice(choice: ThemeChoice) {
    this.#choice = choice
    this.apply()
    try {
      localStorage.setItem(key, choice)
    } catch {
      // A browser that keeps nothing: the choice holds for this page.
    }
  }

  apply(): void {
    document.documentElement.dataset.theme = this.#choice
  }
}

function stored(): ThemeChoice {
  try {
    return themes.find((theme) => theme === localStorage.getItem(key)) ?? 'system'
  } catch {
    return 'system'
  }
}

export const theme = new Theme()
