/** What a peer said, or failed to say, as the client is told it. */
import { forbidden, MatrixError } from '../http/matrix-error.ts'
import { RemoteError } from '../rooms/remote-rooms.ts'

/** A refusal is passed on with its own code; a server that is not pinned was not asked. */
export async function fromPeer<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking
  } catch (error) {
    if (error instanceof RemoteError) throw asMatrixError(error)
    throw error
  }
}

function asMatrixError({ kind, status, errcode, message }: RemoteError): MatrixError {
  switch (kind) {
    case 'unpinned':
      return forbidden(message)
    case 'unreachable':
      return new MatrixError(502, 'M_UNKNOWN', message)
    case 'refused': {
      // What a peer thinks of our own standing with it (401), or of its load, is no answer about the client.
      const isAboutRequest = status === 400 || status === 403 || status === 404
      const code = errcode !== undefined && /^M_[A-Z_]{1,60}$/.test(errcode) ? errcode : 'M_UNKNOWN'
      return isAboutRequest
        ? new MatrixError(status, code, message)
        : new MatrixError(502, 'M_UNKNOWN', `The other server refused: ${message}`)
    }
    default:
      return kind satisfies never
  }
}
