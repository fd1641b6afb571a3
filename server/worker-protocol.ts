/** What the server and its worker process say to each other. */
import type { ThumbnailAnswer, ThumbnailRequest } from './media/thumbnail.ts'

export interface Jobs {
  hash: { readonly asks: { readonly password: string }; readonly gives: string }
  verify: { readonly asks: { readonly hash: string; readonly password: string }; readonly gives: boolean }
  thumbnail: { readonly asks: ThumbnailRequest; readonly gives: ThumbnailAnswer }
}

export type JobKind = keyof Jobs

export interface JobMessage {
  readonly id: number
  readonly kind: JobKind
  readonly asks: Jobs[JobKind]['asks']
}

export type AnswerMessage =
  | { readonly id: number; readonly gives: Jobs[JobKind]['gives'] }
  /** Only the error's name: its message may carry what it worked on. */
  | { readonly id: number; readonly failed: string }
