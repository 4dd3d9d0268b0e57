/**
 * What somebody else knows of the link: the peer, a relay, or a modem that sees its own scheduler.
 *
 * It bounds the delay-based rate (aimd.ts), outweighs probes that show less, and tells what is worth probing for.
 *
 * Source: libwebrtc bd635df3 api/transport/network_types, NetworkStateEstimate, of which the controller reads these fields.
 */
import type { BitsPerSecond, Micros } from "../base/units.ts";

export interface NetworkEstimate {
  readonly updatedAt: Micros;
  /** The link carries at least this; 0 = not known. */
  readonly lower: BitsPerSecond;
  /** The link carries at most this; Infinity = not known. */
  readonly upper: BitsPerSecond;
}

/** Probing by the estimate; all off by default, as in libwebrtc. */
export interface NetworkEstimateProbing {
  /** Probe this often while the estimate is below the upper bound; default Infinity. Probes stay below the bound then. */
  readonly interval?: Micros;
  /** The estimate is held to be too low below this share of the upper bound; 0…1, default 0. */
  readonly lowRatio?: number;
  /** Probe this often while it is too low; 3 s. */
  readonly lowInterval?: Micros;
  /** Probes may reach this multiple of the upper bound; 1. */
  readonly scale?: number;
  /** Of probes within the bound; 15 ms and 20 ms. */
  readonly duration?: Micros;
  readonly minDelta?: Micros;
}
