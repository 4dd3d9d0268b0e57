/** What both ends of a raw connection are told. Mode, keys, cipher, auth and fix-gro must be the same at both. */
import type { Checksum } from "./checksum.ts";
import type { Keys } from "./keys.ts";
import type { RawMode, SeqMode } from "./mode.ts";
import type { Fill } from "./packet.ts";
import type { Primitives } from "./primitives.ts";
import type { SealOptions } from "./seal.ts";

export interface RawOptions extends SealOptions {
  readonly mode: RawMode;
  readonly seqMode: SeqMode;
  /** easyfaketcp: the machine's own TCP makes the connection of faketcp, and is kept quiet afterwards; default false. */
  readonly easy?: boolean;
  readonly keys: Keys;
  readonly primitives: Primitives;
  readonly crc32: Checksum;
  /** Cryptographically strong random bytes. */
  readonly random: Fill;
  /** 1…255; default 64. */
  readonly ttl?: number;
  /** Zeros in a heartbeat, 0…1500; default 1200. */
  readonly heartbeatBytes?: number;
  /** 1 (default): only heartbeats show that the other end lives. 0: data does too. */
  readonly heartbeatMode?: 0 | 1;
  /** Whoever runs this end tells how packets were merged on their way (`receive`'s segmentBytes), and the other end may rely on it. */
  readonly splitsMerged?: boolean;
  /** Default: on, unless auth is none, whose sequence numbers anybody can write. */
  readonly antiReplay?: boolean;
}

export interface RawTiming {
  /** A step of the handshake is repeated after this, and given up after `stepMs`. */
  readonly retryMs: number;
  readonly stepMs: number;
  readonly heartbeatMs: number;
  /** Client: no heartbeat for so long, or none that shows ours arriving, ends the connection. */
  readonly silenceMs: number;
  readonly rollerMs: number;
  /** Server: how long a handshake, and a ready connection without conversations, is remembered. */
  readonly handshakeMs: number;
  readonly idleMs: number;
}

/** Source: reference udp2raw.md sections 5.2 and 5.5, as measured. */
export const timing: RawTiming = {
  retryMs: 1000,
  stepMs: 5000,
  heartbeatMs: 700,
  silenceMs: 10_000,
  rollerMs: 12_000,
  handshakeMs: 10_000,
  idleMs: 240_000,
};

/** A number drawn from `random`, 0…2^32−1. */
export function drawU32(random: Fill): number {
  random(drawn, 0, 4);
  return drawnView.getUint32(0);
}

const drawn = new Uint8Array(4);
const drawnView = new DataView(drawn.buffer);
