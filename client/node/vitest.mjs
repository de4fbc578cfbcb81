// `import 'statwit/vitest'` adds the matchers to vitest's `expect`.
import { expect } from 'vitest'
import matchers from './matchers.js'

expect.extend(matchers)
export const { toHaveRecorded } = matchers
