/** Packets and keys of the real udp2raw: vectors udp2raw/kat.json. */
import type { SealOptions } from "../../src/faketcp/seal.ts";
import { readVector } from "./read.ts";

export interface KnownPacket {
  readonly dir: "c2s" | "s2c";
  readonly kind: "bare" | "heartbeat" | "data";
  /** Hex of everything above the L4 header; of long heartbeats only `wire_head`, the first bytes, and `wire_len`. */
  readonly wire?: string;
  readonly wire_head?: string;
  readonly wire_len?: number;
  readonly plain?: string;
  readonly my_id: number;
  readonly opposite_id: number;
  readonly const_id?: number;
  readonly seq?: string;
  readonly roller?: number;
  readonly conv?: number;
  readonly payload?: string;
  readonly zero_bytes?: number;
}

export interface KnownSession {
  readonly session: string;
  readonly key: string;
  readonly cipher_mode: SealOptions["cipherMode"];
  readonly auth_mode: SealOptions["authMode"];
  readonly fix_gro: boolean;
  readonly packets: readonly KnownPacket[];
}

export type KnownKeys = Readonly<Record<"normal_key" | "hmac_c2s" | "hmac_s2c" | "cipher_c2s" | "cipher_s2c" | "gro_xor", string>>;

export function knownAnswers(): { readonly keys: Readonly<Record<string, KnownKeys>>; readonly sessions: readonly KnownSession[] } {
  return readVector("udp2raw/kat.json");
}
