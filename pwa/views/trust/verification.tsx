import { useEffect } from 'preact/hooks'
import { lazy } from '../parts/lazy.tsx'
import { followVerifications, shown } from './verifications.ts'

const VerificationSteps = lazy(async () => (await import('./verification-steps.tsx')).VerificationSteps)

/** Once in the page: appears when somebody asks, or was asked here. What it shows is loaded then. */
export function VerificationDialog() {
  useEffect(followVerifications, [])
  const flow = shown.value
  return flow && <VerificationSteps key={flow.requestedByUs ? 'ours' : flow.flowId} flow={flow} />
}
