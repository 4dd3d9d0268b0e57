/** What the sockets of `loop-epoll.ts` need of their loop. */
import type { Millis } from "../base/units.ts";
import type { AddressCache } from "./block.ts";
import type { Epoll } from "./epoll.ts";
import type { Handover } from "./handover.ts";
import type { IoVectors } from "./io-vectors.ts";
import type { LoopCounters } from "./loop-counters.ts";
import type { Sys } from "./sys.ts";
import type { UdpInbox } from "./udp-inbox.ts";
import type { UdpOutbox } from "./udp-outbox.ts";

/** An open descriptor that is closed at once when the loop stops. */
export interface Resource {
  destroy(): void;
}

export interface Reactor {
  /** Sockets at given ports share them with those of other loops: the kernel spreads peers over them, each peer always to the same one. */
  readonly sharePorts: boolean;
  /** Connections go to the thread of several that has fewest; undefined where the kernel's choice stands. */
  readonly handover: Handover | undefined;
  readonly sys: Sys;
  readonly epoll: Epoll;
  readonly buffers: AddressCache;
  readonly vectors: IoVectors;
  readonly inbox: UdpInbox;
  readonly outbox: UdpOutbox;
  readonly counters: LoopCounters;
  readonly resources: Set<Resource>;
  /** Calls the task in this round once all events are handled, or in the next round. */
  later(task: (now: Millis) => void): void;
  /** Calls the task in the first round at least `delay` from now. */
  after(delay: Millis, task: (now: Millis) => void): void;
}
