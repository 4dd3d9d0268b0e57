/** The errors of Global Accelerator's API: all but its own failure are status 400 (reference/aws-live.md 1.1). */
import { ServiceError } from "../aws/service-error.ts";

const exception =
  (code: string) =>
  (message: string): ServiceError =>
    new ServiceError(code, 400, message);

export const invalidArgument = exception("InvalidArgumentException");
export const invalidPortRange = exception("InvalidPortRangeException");
export const invalidNextToken = exception("InvalidNextTokenException");
export const limitExceeded = exception("LimitExceededException");
export const denied = exception("AccessDeniedException");
export const conflicting = exception("ConflictException");
export const acceleratorNotFound = exception("AcceleratorNotFoundException");
export const acceleratorNotDisabled = exception("AcceleratorNotDisabledException");
export const associatedListenerFound = exception("AssociatedListenerFoundException");
export const listenerNotFound = exception("ListenerNotFoundException");
export const associatedEndpointGroupFound = exception("AssociatedEndpointGroupFoundException");
export const endpointGroupNotFound = exception("EndpointGroupNotFoundException");
export const endpointGroupAlreadyExists = exception("EndpointGroupAlreadyExistsException");
export const endpointNotFound = exception("EndpointNotFoundException");
export const endpointAlreadyExists = exception("EndpointAlreadyExistsException");
export const attachmentNotFound = exception("AttachmentNotFoundException");
export const byoipCidrNotFound = exception("ByoipCidrNotFoundException");
export const incorrectCidrState = exception("IncorrectCidrStateException");
export const internalServiceError = (): ServiceError =>
  new ServiceError("InternalServiceErrorException", 500, "an error inside; the log of the server says more");
