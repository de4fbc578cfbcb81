import * as vitest from 'vitest'
import story from './matchers.story.js'

story(vitest)
