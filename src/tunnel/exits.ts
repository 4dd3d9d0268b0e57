/**
 * Where what the peer sends comes out: its streams (connector.ts) and its flows (udp-exits.ts), at targets of one list. A server has them for its
 * clients' forwards, a client for its reverse forwards.
 */
import type { Millis } from "../base/units.ts";
import type { Log } from "../host/log.ts";
import type { Loop } from "../host/loop.ts";
import type { ChannelCounters } from "./channel-counters.ts";
import { Connector } from "./connector.ts";
import type { DatagramSender } from "./datagram-sender.ts";
import type { SessionOptions } from "./session-options.ts";
import type { TargetList } from "./target.ts";
import { TargetNames } from "./target-names.ts";
import { UdpExits } from "./udp-exits.ts";

export interface ExitsOptions {
  readonly loop: Loop;
  readonly log: Log;
  readonly counters: ChannelCounters;
  readonly sender: DatagramSender;
  /** What the list is called in the configuration. */
  readonly option: string;
  /** Read where it is needed: it may change. */
  readonly config: { readonly proxyprotocol: boolean; readonly flows: number; readonly flowidle: number; readonly quiet: boolean };
}

export class Exits {
  readonly #connector: Connector;
  readonly #udp: UdpExits;

  constructor(options: ExitsOptions, targets: TargetList) {
    const names = new TargetNames(options.loop);
    this.#connector = new Connector({ ...options, targets, names });
    const list = (): TargetList => this.#connector.targets;
    this.#udp = new UdpExits({ ...options, targets: list, names });
  }

  /** Flows that come out here now. */
  get flows(): number {
    return this.#udp.size;
  }

  /** From now on; what is open stays. */
  replace(targets: TargetList): void {
    this.#connector.targets = targets;
  }

  readonly opened: SessionOptions["opened"] = (session, stream, now, description) =>
    this.#connector.connect(session, stream, now, description);

  readonly flowOpened: SessionOptions["flowOpened"] = (session, id, description, now) => this.#udp.accept(session, id, description, now);

  advance(now: Millis): Millis {
    return this.#udp.advance(now);
  }
}
