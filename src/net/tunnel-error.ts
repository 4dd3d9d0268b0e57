/**
 * Why a stream, or a tunnel, ended otherwise than in order. Codes are those Node's own sockets use.
 *
 *   ECONNREFUSED   no more streams: option `streams` here, or a server that is closing or full
 *   ECONNRESET     the session ended: the server closed or forgot it, its settings differ, an outage outlasted it; the message says which
 *   ETIMEDOUT      the server was not heard: within `connectTimeout`, or for so long that the session was given up
 *   ENOTFOUND      the server's name has no address
 *   EPIPE          written after the other end had closed the stream
 *   ECONNABORTED   the tunnel or the server of this process was destroyed
 */
export type TunnelErrorCode = "ECONNREFUSED" | "ECONNRESET" | "ETIMEDOUT" | "ENOTFOUND" | "EPIPE" | "ECONNABORTED";

export class TunnelError extends Error {
  override readonly name = "TunnelError";
  readonly code: TunnelErrorCode;

  constructor(code: TunnelErrorCode, reason: string) {
    super(`${code}: ${reason}`);
    this.code = code;
  }
}

/** The error of a stream whose session has ended for `reason`, as the session words it. */
export function sessionEnded(reason = "the session ended"): TunnelError {
  if (reason === "smux.timeout") return new TunnelError("ETIMEDOUT", "nothing was heard of the peer for 30 s");
  return new TunnelError(/^name ".*" was not found$/.test(reason) ? "ENOTFOUND" : "ECONNRESET", reason);
}
