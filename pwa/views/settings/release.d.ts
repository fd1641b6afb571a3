/** Made by scripts/app-build.ts: the release, and the packages in it with their licences. */
declare module 'virtual:release' {
  export const version: string
  export const licences: readonly {
    readonly name: string
    readonly version: string
    /** As SPDX writes it. */
    readonly licence: string
    readonly text: string
  }[]
}
