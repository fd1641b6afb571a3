/** Whether this browser can be woken while Letro is closed. Pure. */

/** Why it is, or is not, to be had here. */
export type PushState =
  | { readonly kind: 'not-allowed' }
  /** iOS has it for apps on the home screen alone. */
  | { readonly kind: 'install-first' }
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'off' }
  | { readonly kind: 'on'; readonly host: string }

export interface Surroundings {
  readonly allowed: boolean
  readonly supported: boolean
  readonly isApple: boolean
  readonly isInstalled: boolean
  /** Of the subscription that there is. */
  readonly endpoint: string | null
}

export function pushStateOf({ allowed, supported, isApple, isInstalled, endpoint }: Surroundings): PushState {
  if (!allowed) return { kind: 'not-allowed' }
  if (isApple && !isInstalled && !supported) return { kind: 'install-first' }
  if (!supported) return { kind: 'unsupported' }
  return endpoint === null ? { kind: 'off' } : { kind: 'on', host: hostOf(endpoint) }
}

function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).host : ''
}
