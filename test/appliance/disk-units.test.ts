/** The root filesystem's units, as they stand: what they start exists, what is switched off is, and nobody is more privileged than said. */
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import test from 'ava'
import { paths, serverUser } from '../../appliance/paths.ts'
import { environmentName } from '../../server/config-keys.ts'

const repository = join(import.meta.dirname, '../..')
const rootfs = join(repository, 'appliance/rootfs')
const units = join(rootfs, 'usr/lib/systemd/system')
const settings = join(rootfs, 'etc/systemd/system')

const unitFiles = readdirSync(units).filter(name => lstatSync(join(units, name)).isFile())
const services = unitFiles.filter(name => name.endsWith('.service'))
const unit = (name: string) => readFileSync(join(units, name), 'utf8')
const values = (text: string, key: string) =>
  [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value!)

test('every program of ours that a unit starts is in the repository', t => {
  for (const name of services) {
    for (const line of values(unit(name), 'Exec(?:Start|StartPre|StartPost|Stop|Reload)')) {
      for (const [path] of line.matchAll(/\/usr\/lib\/letro\/\S+\.ts/g)) {
        // The entries of other folders come with those folders.
        if (!path.includes('/appliance/disk/')) continue
        t.true(existsSync(join(repository, path.slice('/usr/lib/letro/'.length))), `${name}: ${path}`)
      }
    }
  }
})

test('what wants a unit leads to one that is there', t => {
  const folders = readdirSync(units).filter(name => /\.(?:wants|requires)$/.test(name))
  t.true(folders.length > 0)
  for (const folder of folders) {
    // The others are Debian's.
    for (const link of readdirSync(join(units, folder)).filter(name => name.startsWith('letro-'))) {
      const target = readlinkSync(join(units, folder, link))
      t.true(existsSync(join(units, folder, target)), `${folder}/${link}`)
    }
  }
})

test('no shell, no login, no recovery console of anybody else starts', t => {
  for (const name of [
    'getty@.service',
    'serial-getty@.service',
    'console-getty.service',
    'autovt@.service',
    'debug-shell.service',
    'emergency.service',
    'rescue.service',
    'systemd-storagetm.service',
    'systemd-bless-boot.service',
    'ctrl-alt-del.target',
    'kexec.target',
  ]) {
    t.is(readlinkSync(join(settings, name)), '/dev/null', name)
  }
  for (const target of ['emergency', 'rescue']) {
    t.deepEqual(readdirSync(join(units, `${target}.target.wants`)), ['letro-console@tty1.service'])
  }
})

test('what is switched off in /etc is not a unit of ours', t => {
  const masked = readdirSync(settings).filter(name => lstatSync(join(settings, name)).isSymbolicLink())
  t.deepEqual(
    masked.filter(name => unitFiles.includes(name)),
    [],
  )
})

test('the server has no capability, its own user, and writes to its folder alone', t => {
  const text = unit('letro-server.service')
  t.deepEqual(values(text, 'User'), [serverUser.name])
  t.deepEqual(values(text, 'CapabilityBoundingSet'), [''])
  t.deepEqual(values(text, 'ReadWritePaths'), [`${paths.site} ${paths.spool}`])
  t.deepEqual(values(text, 'ConditionPathExists'), [paths.configFile])
  t.deepEqual(values(text, 'SystemCallFilter'), [
    '@system-service @pkey',
    '~@privileged @resources',
    'setpriority',
  ])
  // V8 writes machine code: with it the server would not start.
  t.deepEqual(values(text, 'MemoryDenyWriteExecute'), [])
  const sysusers = readFileSync(join(rootfs, 'usr/lib/sysusers.d/letro.conf'), 'utf8')
  t.regex(sysusers, new RegExp(`^u ${serverUser.name} ${serverUser.id} `, 'm'))
  const started = values(text, 'ExecStart')[0]!
  const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  t.true(started.includes(scripts.start.replace(/^.* exec node /, '')), 'the flags of npm start')
})

test('the server is told where the machine reports, and where the updater answers', t => {
  const settings = values(unit('letro-server.service'), 'Environment').flatMap(line => line.split(' '))
  for (const [name, path] of [
    ['appliance.report', paths.machineReport],
    ['appliance.update_socket', paths.updateSocket],
  ] as const)
    t.true(settings.includes(`${environmentName(name)}=${path}`), name)
})

test('every unit of ours gives up its privileges by itself, and writes no core', t => {
  for (const name of [
    'letro-console@.service',
    ...services.filter(name => /letro-(?:server|disk|update|gate|report)\./.test(name)),
  ]) {
    t.deepEqual(values(unit(name), 'NoNewPrivileges'), ['yes'], name)
    t.deepEqual(values(unit(name), 'LimitCORE'), ['0'], name)
  }
})

test('the updater, the report and who opens the disk reach no network', t => {
  for (const name of ['letro-update.service', 'letro-report.service', 'letro-disk.service']) {
    t.deepEqual(values(unit(name), 'PrivateNetwork'), ['yes'], name)
  }
  t.deepEqual(values(unit('letro-console@.service'), 'IPAddressDeny'), ['any'])
})

test('the data is mounted so that nothing on it is ever run', t => {
  const [options] = values(unit('var-lib-letro.mount'), 'Options')
  for (const option of ['nodev', 'nosuid', 'noexec']) t.true(options!.split(',').includes(option), option)
  t.deepEqual(values(unit('var-lib-letro.mount'), 'Where'), [paths.data])
  t.deepEqual(values(unit('efi.mount'), 'Where'), [paths.esp])
})

test('a unit’s file is named after what it mounts', t => {
  for (const name of unitFiles.filter(each => each.endsWith('.mount'))) {
    const [where] = values(unit(name), 'Where')
    t.is(`${where!.slice(1).replaceAll('/', '-')}.mount`, basename(name))
  }
})

test('a machine’s id is made at each start: the file is there, and empty', t => {
  t.is(readFileSync(join(rootfs, 'etc/machine-id'), 'utf8'), '')
})
