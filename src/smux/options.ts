/** What a smux session is made of; each limit has a default. */
import type { Bytes, Millis } from "../base/units.ts";

export interface SmuxOptions {
  /** The client opens odd sids, the server even ones. */
  readonly role: "client" | "server";
  /** "any", for servers: that of the peer's first frame; nothing can be opened or sent before. */
  readonly version: 1 | 2 | "any";
  /** Between two NOPs; above 0, at most timeoutMs; 10,000. */
  readonly keepaliveMs?: Millis;
  /** Between two looks at whether the peer lives; 30,000. */
  readonly timeoutMs?: Millis;
  /** Received bytes that all streams together may hold unconsumed; 4 MiB. */
  readonly receiveBytes?: Bytes;
  /** Window told to the peer for each stream (version 2); 2 MiB. */
  readonly streamBytes?: Bytes;
  /** Received bytes that streams which take nothing may hold beyond receiveBytes; 0. */
  readonly spillBytes?: Bytes;
  /** How long a stream may take nothing while all others wait for it; 0 = for ever, as kcptun does. */
  readonly stallMs?: Millis;
  /** Most payload of one frame, 1…65535; 8192 (4096 as kcptun of 2021). */
  readonly frameBytes?: Bytes;
  /** Streams open at once; 1024. */
  readonly streamsMax?: number;
}
