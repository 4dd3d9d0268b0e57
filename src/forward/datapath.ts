/**
 * What moves the datagrams: nftables, XDP or this process itself. All behave alike; what one cannot do it says before anything is changed.
 *
 *   a datagram at `listen`, UDP, not from this machine:
 *     1. source in `deny`, or `allow` given and not in it        dropped, counted as denied
 *     2. beyond a limit of the forward or of its source          dropped, counted as limited
 *     3. flow known (source address and port, listen address and port)    to its backend, as long as that flow lives
 *     4. forward draining, or no backend with a weight           dropped, counted as refused
 *     5. new flow: backend by weight, hashed over the flow or its source address; source address and port by `source`, no two flows to one
 *        backend alike; to the backend
 *   an answer of the backend: back to the source, from the address and port it asked
 *
 * A flow ends after `idleSeconds` without a datagram either way. A backend that loses its weight keeps its flows. A forward that is removed loses
 * its flows at once, one that only changes keeps those whose backend it still has.
 */

import type { ForwardedFlow } from "../base/forwarded-flow.ts";
import type { Traffic } from "../base/traffic.ts";
import type { DesiredState } from "./desired-state.ts";
import type { Forward } from "./forward.ts";
import type { Plan } from "./plan.ts";

export type DatapathKind = "xdp" | "nftables" | "userspace";

export interface Capabilities {
  /** Goes on forwarding when this process ends. */
  readonly outlivesProcess: boolean;
  /** `source` transparent is possible. */
  readonly transparent: boolean;
  /** `capture` is possible. */
  readonly capture: boolean;
}

/** Of one forward, since the datapath began to count: what was forwarded, answers as "out"; bytes are those of IP packets. */
export interface ForwardStats extends Traffic {
  /** Flows now. */
  flows: number;
  /** Datagrams dropped by steps 1, 2 and 4. */
  denied: number;
  limited: number;
  refused: number;
}

export interface DatapathStats {
  /** By the forward's name; what never had a datagram may be missing. */
  readonly forwards: ReadonlyMap<string, ForwardStats>;
  /** What belongs to no forward, such as "flowsFull" or "portsExhausted". */
  readonly counters: Readonly<Record<string, number>>;
}

export interface Flow extends ForwardedFlow {
  readonly forward: string;
  /** Where it came in, as "host:port". */
  readonly listen: string;
  /** Until it ends if nothing more comes. */
  readonly expiresSeconds: number;
}

export interface CaptureOptions {
  /** Of one forward; undefined: of all. */
  readonly forward: string | undefined;
  /** One packet in so many, at random. */
  readonly oneIn: number;
  /** Of each packet, from its IP header on. */
  readonly bytesMax: number;
  /** Of a forward with `sip`, for who reads what its backends answer: at least that is seen, every packet, as whole as it is. */
  readonly sip?: boolean;
}

export interface Capture {
  /** Packets that were taken but lost on the way to the sink. */
  readonly dropped: number;
  stop(): Promise<void>;
}

/** `packet` is as between the two translations, begins with its IP header and is borrowed until the call returns; Unix time in seconds; `length`: before it was cut. */
export type PacketSink = (packet: Uint8Array, seconds: number, length: number) => void;

/** One call after another; who calls sees to that. */
export interface Datapath {
  readonly kind: DatapathKind;
  readonly capabilities: Capabilities;
  /** What whoever opened it should know: where it is slower than it could be. Missing: nothing. */
  readonly remarks?: readonly string[];
  /** Why this forward is not possible here, as the end of a sentence; undefined when it is. */
  refuses(forward: Forward): string | undefined;
  /**
   * All of the plan or nothing. The first one after opening finds whatever an earlier process left and must lead to `plan.after` from there, without
   * losing a datagram of a forward that stays. @throws HostError, and nothing has changed
   */
  apply(plan: Plan): Promise<void>;
  /** For one who only wants to see: what another process applied is `state`. Nothing is changed. Missing: only who applied can see. */
  look?(state: DesiredState): void;
  /** Looks whether what was applied is there; answers what is not, undefined when all is well. */
  verify(): Promise<string | undefined>;
  /** Back to what held before the last `apply`; once. @throws HostError */
  rollback(): Promise<void>;
  stats(): Promise<DatapathStats>;
  /** At most `limit`, those of `forward` if given. */
  flows(limit: number, forward?: string): Promise<readonly Flow[]>;
  /** Ends the flows of a forward, or only those to one of its backends ("host:port" as `Flow` has it); answers how many. */
  endFlows(forward: string, backend?: string): Promise<number>;
  /** @throws HostError when the capability is missing */
  capture(options: CaptureOptions, sink: PacketSink): Promise<Capture>;
  /** `keep`: forwards on without this process where it can; otherwise nothing of it stays. */
  close(keep: boolean): Promise<void>;
}

export function newForwardStats(): ForwardStats {
  return { flows: 0, packetsIn: 0, bytesIn: 0, packetsOut: 0, bytesOut: 0, denied: 0, limited: 0, refused: 0 };
}
