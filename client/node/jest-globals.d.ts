import { AskOptions } from '.'

export { toHaveRecorded } from './matchers'

declare module '@jest/expect' {
  interface Matchers<R extends void | Promise<void>> {
    /** of a Session: the verdict on these expectations is `pass` */
    toHaveRecorded (expectations: string | string[], options?: AskOptions): Promise<void>
  }
}
