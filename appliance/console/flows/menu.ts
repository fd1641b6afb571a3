/** Everything that can be done here. */
import { ask, type Context, type Flow } from '../flow.ts'
import { type Block, choice } from '../page.ts'

export function* menu({ facts }: Context): Flow {
  const has = facts.site !== null
  const entries: Block[] = [
    ...(has && facts.hasAdministrator === false
      ? [choice('enrolment', 'First administrator: link and QR code')]
      : []),
    ...(facts.server.state === 'maintenance' ? [choice('maintenance', 'Damaged data: look and repair')] : []),
    ...(facts.server.state === 'out-of-service'
      ? [choice('out-of-service', 'Maintenance: serve again')]
      : []),
    ...(has ? [choice('health', 'Health')] : []),
    choice('network', 'Network'),
    choice('time', 'Time'),
    choice('update', 'Update'),
    ...(has ? [choice('backup', 'Backup'), choice('certificate', 'Certificate')] : []),
    ...(has ? [choice('recover', 'Recover an administrator')] : []),
    ...(has ? [choice('stick', 'Settings from a stick')] : []),
    choice('pin', facts.hasPin ? 'PIN: change' : 'PIN: set'),
    choice('secure-boot', 'Secure Boot'),
    ...(facts.isRemovable ? [choice('install', 'Install to a disk')] : []),
    choice('power', 'Restart or power off'),
    choice('factory-reset', 'Factory reset'),
    choice('licences', 'Licences'),
  ]
  const { chosen } = yield* ask({ title: 'What do you want to do?', blocks: entries })
  return { open: chosen, returns: true }
}
