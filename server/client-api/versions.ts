/**
 * Which versions of the specification are spoken here.
 *
 * Spec: client-server-api#get_matrixclientversions. Old ones are listed as well: clients refuse a server that
 * offers only the newest.
 */
import type { Route } from '../http/route.ts'

const versions = Array.from({ length: 19 }, (_, i) => `v1.${i + 1}`)

const unstableFeatures: Readonly<Record<string, boolean>> = {
  // `state_after` in /sync, stable since v1.16; matrix-js-sdk asks by the old name.
  'org.matrix.msc4222': true,
}

export function versionsRoutes(): Route[] {
  const answer = { versions, unstable_features: unstableFeatures }
  return [
    {
      method: 'GET',
      path: '/_matrix/client/versions',
      steps: [
        ctx => {
          ctx.body = answer
        },
      ],
    },
  ]
}
