/** What flows of both protocols have in common: who talks to whom through which listener, since when, and how much. */
import { type Millis, NEVER } from "../base/units.ts";
import type { Reason, Target } from "./balance.ts";
import type { FlowKey } from "./flow-hash.ts";
import type { Place } from "./plane.ts";
import type { ServedListener } from "./served-listener.ts";

/** Where a flow goes out. */
export interface Destination {
  /** Literal address. */
  readonly host: string;
  readonly port: number;
  readonly client: "none" | "proxy" | "transparent";
  /** Undefined for what a route says. */
  readonly target: Target | undefined;
  /** Why there. */
  readonly reason: Reason | "route";
}

/** Why a flow ended. closed: by itself, or by one of its ends. */
export type End = "closed" | "idle" | "refused" | "dead" | "drained" | "removed" | "stopped";

/** How its bytes travel: through sockets of this process, by the kernel alone, or through a tunnel to a machine beside the endpoint. */
export type Way = "userspace" | "kernel" | "tunnel";

export interface Flow {
  readonly way: Way;
  readonly key: FlowKey;
  readonly hash: number;
  readonly served: ServedListener;
  destination: Destination;
  readonly startedAt: Millis;
  /** Last byte or datagram in either direction. */
  activeAt: Millis;
  /** When its endpoint was removed or lost its weight; NEVER while neither is so. */
  drainsSince: Millis;
  bytesIn: number;
  bytesOut: number;
  /** Datagrams; missing for connections. */
  readonly packetsIn?: number;
  readonly packetsOut?: number;
  /** Our address towards the endpoint, "" while there is none. */
  readonly seenAs: string;
  /** Its endpoint is gone: ends, or goes on elsewhere. */
  died(now: Millis): void;
  /** Lets go of everything, and tells whoever listens. */
  end(why: End): void;
}

/** A flow of this process at its place: what does not depend on how its bytes travel. */
export abstract class PlacedFlow {
  readonly key: FlowKey;
  readonly hash: number;
  /** As it was when the flow began: the place may get another one. */
  readonly served: ServedListener;
  readonly startedAt: Millis;
  destination: Destination;
  activeAt: Millis;
  drainsSince: Millis = NEVER;

  constructor(served: ServedListener, { key, hash, destination }: Place, now: Millis) {
    this.served = served;
    this.key = key;
    this.hash = hash;
    this.destination = destination;
    this.startedAt = now;
    this.activeAt = now;
  }
}
