/** The port to media of other servers. Every method throws `RemoteError` of the rooms area. */
import type { ServerName } from '../protocol/ids.ts'

export interface RemoteFile {
  readonly contentType: string
  readonly fileName?: string
  /** Whole when it ends; throws `RemoteError` when it cannot be. Whoever stops reading ends the request. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface RemoteMedia {
  /** Spec: server-server-api#get_matrixfederationv1mediadownloadmediaid */
  download(server: ServerName, mediaId: string, waitMs: number): Promise<RemoteFile>
}
