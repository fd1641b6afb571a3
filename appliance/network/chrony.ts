/**
 * The configuration of chronyd for given time servers. Pure.
 *
 * It answers nobody (port 0), is asked by programs of this machine alone, and steps the clock only while it starts: later a wrong
 * clock is slewed, so that time never goes back under the server.
 */
import type { TimeSettings } from '#protocol/time-settings.ts'

export function chronyConf({ servers, nts }: TimeSettings): string {
  return [
    '# Made by Letro from time.json.',
    ...servers.map(server => `server ${server} iburst${nts ? ' nts' : ''}`),
    // With three or more, one that lies is outvoted: it alone sets nothing.
    ...(servers.length >= 3 ? ['minsources 2'] : []),
    ...(servers.length === 0 ? ['# No servers: the clock is set by hand.'] : ['makestep 1.0 3', 'rtcsync']),
    'driftfile /var/lib/chrony/drift',
    ...(nts ? ['ntsdumpdir /var/lib/chrony'] : []),
    'port 0',
    'bindcmdaddress 127.0.0.1',
    'bindcmdaddress /run/chrony/chronyd.sock',
    '',
  ].join('\n')
}
