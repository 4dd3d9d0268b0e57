/** What an edge asks of whatever forwards datagrams inside the kernel (src/forward, wired by cli): places with their backends, as wholes. */

import type { ForwardedFlow } from "../base/forwarded-flow.ts";
import type { Traffic } from "../base/traffic.ts";

/** One place or a run of ports, UDP. */
export interface KernelEntry {
  /** The same for the same place as long as it is served; up to 64 letters, digits and hyphens. */
  readonly name: string;
  /** Literal address of ours. */
  readonly address: string;
  readonly from: number;
  /** Not below `from`. */
  readonly to: number;
  /** What goes to one backend: a flow, or all of a source address. */
  readonly affinity: "NONE" | "SOURCE_IP";
  /** Endpoints see the clients' addresses. */
  readonly transparent: boolean;
  readonly idleSeconds: number;
  /** No place twice. Who is not in `choices` gets no new flows and keeps those it has. */
  readonly backends: readonly KernelBackend[];
  /** Index of a backend for each place of a hash over flows; of one place where there is one backend to go to. */
  readonly choices: readonly number[];
}

export interface KernelBackend {
  /** Literal address, of `address`'s family. */
  readonly host: string;
  /** Undefined: the port at which a datagram came in. */
  readonly port: number | undefined;
}

/** Of one entry, since the kernel began to count. Bytes are those of IP packets. */
export interface KernelCounts extends Readonly<Traffic> {
  readonly flows: number;
}

export interface KernelFlow extends ForwardedFlow {
  readonly entry: string;
  /** Where it came in, as "host:port". */
  readonly at: string;
  readonly idleSeconds: number;
}

export interface KernelForwarder {
  /** For the log and the console: "xdp", "nftables". */
  readonly kind: string;
  /** Why this entry is not possible here, as the end of a sentence; undefined when it is. */
  refuses(entry: KernelEntry): string | undefined;
  /**
   * These and no others from now on, as one change. Flows of what stays go on; those of a backend that is no longer one go elsewhere with their next datagram.
   * @throws HostError, and everything is as it was
   */
  lead(entries: readonly KernelEntry[]): Promise<void>;
  /** Puts back what somebody took away; answers what was wrong. @throws HostError */
  repair(): Promise<string | undefined>;
  /** By the entry's name. */
  counts(): Promise<ReadonlyMap<string, KernelCounts>>;
  flows(limit: number): Promise<readonly KernelFlow[]>;
  /** Nothing of it stays in the kernel. */
  close(): Promise<void>;
}
