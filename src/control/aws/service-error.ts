/** An error that AWS's API knows: its name there, its HTTP status and a sentence. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  /** "ResourceNotFoundException". */
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export const validation = (message: string): ServiceError => new ServiceError("ValidationException", 400, message);
export const accessDenied = (message: string): ServiceError => new ServiceError("AccessDeniedException", 403, message);
export const notFound = (message: string): ServiceError => new ServiceError("ResourceNotFoundException", 404, message);
export const conflict = (message: string): ServiceError => new ServiceError("ConflictException", 409, message);
export const quotaExceeded = (message: string): ServiceError => new ServiceError("ServiceQuotaExceededException", 402, message);
export const throttling = (message: string): ServiceError => new ServiceError("ThrottlingException", 429, message);
export const internal = (): ServiceError =>
  new ServiceError("InternalServerException", 500, "an error inside; the log of the server says more");
