/** The recorded tunnels of the real programs: vectors kcptun/manifest.json and kcptun/sessions. */
import { type CipherName, cipherNames } from "../../src/cipher/names.ts";
import { readVector } from "./read.ts";

export type Direction = "c2s" | "s2c";

export interface Datagram {
  readonly d: Direction;
  /** Hex of the UDP payload. */
  readonly h: string;
  /** The relay threw it away: the peer never saw it. */
  readonly dropped?: boolean;
}

export interface Recording {
  readonly name: string;
  readonly file: string;
  readonly client_args: readonly string[];
  readonly server_args: readonly string[];
  readonly client_version: string;
  readonly key: string;
  readonly payload: { readonly bytes: number; readonly sha256: string; readonly streams: number };
  readonly echo_ok: boolean;
}

export function recordings(): readonly Recording[] {
  return readVector<{ sessions: readonly Recording[] }>("kcptun/manifest.json").sessions;
}

export function datagramsOf(recording: Recording): readonly Datagram[] {
  return readVector<{ datagrams: readonly Datagram[] }>(`kcptun/${recording.file}`).datagrams;
}

/** Settings as the program took them. */
export interface Settings {
  /** As --crypt names it. */
  readonly crypt: string;
  /** Undefined when we do not have this cipher. */
  readonly cipher: CipherName | undefined;
  readonly compressed: boolean;
  readonly smuxVersion: 1 | 2;
  /** Number of pads; 0 when QPP is off. */
  readonly qppCount: number;
  readonly dataShards: number;
  readonly parityShards: number;
}

export function settingsOf({ client_args: args, client_version: version }: Recording): Settings {
  const value = (flag: string, fallback: string): string => (args.includes(flag) ? args[args.indexOf(flag) + 1]! : fallback);
  const old = version.startsWith("Debian");
  const named = value("--crypt", "aes");
  // The version of 2021 takes a name it does not know for "aes".
  const crypt = old && (named === "null" || named === "aes-128-gcm") ? "aes" : named;
  return {
    crypt,
    cipher: cipherNames.find((name) => name === crypt),
    compressed: !args.includes("--nocomp"),
    smuxVersion: value("--smuxver", old ? "1" : "2") === "1" ? 1 : 2,
    qppCount: args.includes("--QPP") ? Number(value("--QPPCount", "61")) : 0,
    dataShards: Number(value("--ds", "10")),
    parityShards: Number(value("--ps", "3")),
  };
}

/** Why a recording cannot be decoded, false when it can: for the `skip` option of a test. */
export function undecodable(recording: Recording): string | false {
  const { cipher, crypt } = settingsOf(recording);
  return cipher === undefined ? `cipher ${crypt} is not implemented` : false;
}
