/** A backup to a stick, and its restore on another machine: the site, its people and their messages are there. */
import { closeSync, ftruncateSync, openSync } from 'node:fs'
import { join } from 'node:path'
import test, { registerCompletionHandler } from 'ava'
import { makeDisk } from '../first-start.ts'
import { SiteMachine } from '../golden.ts'
import { Operator } from '../operator.ts'
import { keys } from '../screen.ts'
import { powerOn, prepared, putAway, settings } from '../settings.ts'
import { Tools } from '../tools.ts'

registerCompletionHandler(() => process.exit())

test('a backup made on one machine is restored on another, and every message can be read', async t => {
  const { own, operator } = await SiteMachine.withPeople(t, 'backed-up')

  const stick = emptyStick('backup.img')
  await openBackup(operator)
  await operator.choose('Make a key for backups')
  await operator.choose('Make it')
  await operator.sees(/The private backup key: write it down now/, settings.pageMs)
  const key = (await operator.copies('private key')).join('')
  await operator.choose('I have written it down')
  await operator.sees(/What do you want to do\?/, settings.pageMs)
  await own.machine.type(keys.escape)
  await own.machine.plug('backup', stick)
  await openBackup(operator)
  await backUp(operator)
  const signInAgain = own.people.pause()
  await own.machine.powerOff()

  const other = await powerOn('restored', { sticks: { backup: stick } })
  t.teardown(() => putAway(t, other))
  const elsewhere = new Operator(other)
  await elsewhere.sees(/Welcome\. This machine is new\./, settings.bootMs)
  await elsewhere.choose('Restore a backup from a stick')
  await makeDisk(elsewhere)
  await elsewhere.sees(/Restore a backup: which one\?/, settings.setUpMs)
  await elsewhere.choose('letro-')
  await elsewhere.sees(/The private backup key/, settings.pageMs)
  await elsewhere.fill(key)
  await elsewhere.sees(/The backup is restored\./, settings.updateMs)
  await elsewhere.choose('Go on')
  own.site.door = other
  await own.serves()
  await signInAgain()
  await own.keepsItsPromise(t)
})

async function openBackup(operator: Operator): Promise<void> {
  await operator.choose('Administer this machine', settings.bootMs)
  await operator.choose('Backup')
  await operator.sees(/A backup is encrypted to a key/, settings.pageMs)
}

async function backUp(operator: Operator): Promise<void> {
  await operator.choose('Back up to a stick')
  await operator.choose('Begin')
  const notYet = { none: /STICK_NONE/, again: 'Try again' }
  await operator.finds(/The backup is on the stick, whole\./, notYet, settings.updateMs)
}

function emptyStick(name: string): string {
  const image = join(prepared().folder, name)
  const file = openSync(image, 'w')
  ftruncateSync(file, 512 * 1024 * 1024)
  closeSync(file)
  new Tools(prepared().tools).run('mkfs.vfat', ['-F', '32', '-n', 'BACKUP', image])
  return image
}
