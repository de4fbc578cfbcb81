import { AskOptions, Session } from '.'

export function toHaveRecorded (session: Session, expectations: string | string[], options?: AskOptions):
  Promise<{ pass: boolean, message: () => string }>
