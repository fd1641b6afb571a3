/** `sftp://user@host:port/folder`: nothing in it may be taken for an option or a command. */
export interface SftpAddress {
  readonly user: string
  readonly host: string
  readonly port: number
  /** '': where the user begins. */
  readonly folder: string
}

export function parseSftp(value: unknown): SftpAddress | undefined {
  const match =
    /^sftp:\/\/([A-Za-z0-9_][A-Za-z0-9_.-]{0,63})@([A-Za-z0-9][A-Za-z0-9.-]{0,252})(?::([0-9]{1,5}))?(\/[^\p{Cc}]{0,500})?$/u.exec(
      String(value),
    )
  if (!match) return undefined
  const port = match[3] === undefined ? 22 : Number(match[3])
  const folder = match[4] === undefined || match[4] === '/' ? '' : match[4]
  return port >= 1 && port <= 65_535 ? { user: match[1]!, host: match[2]!, port, folder } : undefined
}
