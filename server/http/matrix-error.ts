/**
 * A refusal as the Matrix specification words it: status, `errcode`, a sentence that names the field.
 *
 * Spec: client-server-api#standard-error-response. Edges throw it; one middleware writes it. What is not
 * a MatrixError becomes 500 M_UNKNOWN without detail.
 */
export class MatrixError extends Error {
  readonly status: number
  readonly errcode: string
  readonly fields: Readonly<Record<string, unknown>>
  constructor(status: number, errcode: string, message: string, fields: Record<string, unknown> = {}) {
    super(message)
    this.name = 'MatrixError'
    this.status = status
    this.errcode = errcode
    this.fields = fields
  }
}

export const badJson = (message: string) => new MatrixError(400, 'M_BAD_JSON', message)
export const missingParam = (name: string) => new MatrixError(400, 'M_MISSING_PARAM', `${name} is missing.`)
export const invalidParam = (message: string) => new MatrixError(400, 'M_INVALID_PARAM', message)
export const forbidden = (message: string) => new MatrixError(403, 'M_FORBIDDEN', message)
export const notFound = (message: string) => new MatrixError(404, 'M_NOT_FOUND', message)
