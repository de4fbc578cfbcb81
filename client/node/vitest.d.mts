import type { AskOptions } from './index.js'
import 'vitest'

export { toHaveRecorded } from './matchers.js'

declare module 'vitest' {
  interface Assertion<T = any> {
    /** of a Session: the verdict on these expectations is `pass` */
    toHaveRecorded (expectations: string | string[], options?: AskOptions): Promise<void>
  }
}
