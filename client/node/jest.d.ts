import { AskOptions } from '.'

export { toHaveRecorded } from './matchers'

declare global {
  namespace jest {
    // eslint-disable-next-line @typescript-eslint/no-unused-vars
    interface Matchers<R, T = {}> {
      /** of a Session: the verdict on these expectations is `pass` */
      toHaveRecorded (expectations: string | string[], options?: AskOptions): Promise<void>
    }
  }
}
