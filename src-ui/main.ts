import './api/jitless.ts'
import './state/language.ts'
import '@fontsource-variable/inter/opsz.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import { mount } from 'svelte'
import Start from './Start.svelte'
import { theme } from './state/theme.svelte.ts'

theme.apply()
mount(Start, { target: document.getElementById('app')! })
