/**
 * The kinds of error (DESIGN.md "Contracts"):
 * a bug is an assertion; a damaged or hostile datagram is counted and dropped, never thrown;
 * what is fatal to a peer is a ProtocolError; what the machine refuses is a HostError; what the user mistyped is a ConfigError.
 */

/** Fatal to one stream or to the whole session of a peer. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  /** Stable, from the spec where it has one: "smux.version", "NetStream.Publish.BadName". */
  readonly code: string;
  readonly scope: "stream" | "session";

  constructor(code: string, message: string, scope: "stream" | "session" = "session") {
    super(message);
    this.code = code;
    this.scope = scope;
  }
}

/** The operating system refused something. */
export class HostError extends Error {
  override readonly name = "HostError";
  /** errno's name: "EADDRINUSE". */
  readonly code: string;
  readonly syscall: string;
  readonly address: string | undefined;

  constructor(code: string, syscall: string, address?: string, cause?: unknown) {
    super(`${syscall}${address === undefined ? "" : ` ${address}`}: ${code}`, { cause });
    this.code = code;
    this.syscall = syscall;
    this.address = address;
  }
}

/** Wrong configuration: one sentence that names the key, what was given and what is allowed. Ends the program with status 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "ERR_LONGHAUL_CONFIG";
  readonly key: string;

  constructor(key: string, message: string) {
    super(message);
    this.key = key;
  }
}
