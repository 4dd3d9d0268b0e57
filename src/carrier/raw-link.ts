/**
 * A tunnel's link to one server over a raw connection of its own, as one conversation of it. While no connection stands, `takes` says no: what
 * the tunnel has to say waits in the tunnel, and what it sends all the same, as where this is one way of several, is dropped.
 */
import type { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import { drawU32 } from "../faketcp/options.ts";
import type { Link, LinkHandler } from "../host/link.ts";
import type { Log } from "../host/log.ts";
import { newUdpCounters } from "../host/loop.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";
import { OnePeer } from "../host/one-peer.ts";
import { Arrivals } from "./arrivals.ts";
import { RawClientEnd, type RawClientEndSettings, type RawClientUser } from "./raw-client-end.ts";
import { newCarrierCounters } from "./settings.ts";

export class RawLink implements Link, RawClientUser {
  readonly local = { host: "::", port: 0 };
  readonly addresses: OnePeer;
  readonly counters = newUdpCounters();
  readonly carried = newCarrierCounters();
  readonly #loop: EpollLoop;
  readonly #end: RawClientEnd;
  readonly #handler: LinkHandler;
  readonly #conversation: number;
  readonly #closed: (link: RawLink) => void;
  readonly #arrivals: Arrivals;

  /** @throws HostError when raw packets are not allowed */
  constructor(loop: EpollLoop, settings: RawClientEndSettings, log: Log, handler: LinkHandler, closed: (link: RawLink) => void) {
    this.#loop = loop;
    this.#handler = handler;
    this.#arrivals = new Arrivals(handler, this.counters, this.carried);
    this.#closed = closed;
    this.#conversation = drawU32(settings.raw.random) || 1;
    this.addresses = new OnePeer(settings.remote);
    this.#end = new RawClientEnd(loop, settings, this.carried, log, this);
  }

  /** Called by the owner once a round; answers when it wants to be called next. */
  advance(now: Millis): Millis {
    return this.#end.advance(now);
  }

  takes(): boolean {
    return this.#end.ready;
  }

  send(batch: Batch, from: number): number {
    const { core, outbox, ready } = this.#end;
    const { counters } = this;
    if (!ready) {
      counters.sendErrors += batch.length - from;
      return batch.length;
    }
    const now = this.#loop.now();
    for (let i = from; i < batch.length; i++) {
      if (outbox.full && !outbox.push(now)) return i;
      outbox.add(now, core.connection, batch.bytes, batch.start[i]!, batch.end[i]!, this.#conversation);
      counters.sentDatagrams++;
      counters.sentBytes += batch.end[i]! - batch.start[i]!;
    }
    outbox.push(now);
    counters.sendCalls++;
    return batch.length;
  }

  close(): void {
    this.#closed(this);
    this.#end.close();
  }

  datagram(now: Millis, batch: Batch, start: number, end: number, conversation: number): void {
    if (conversation !== this.#conversation) {
      this.carried.droppedUnknown++;
      return;
    }
    this.#arrivals.add(now, batch, start, end);
  }

  received(now: Millis): void {
    this.#arrivals.deliver(now);
  }

  writable(now: Millis): void {
    if (this.#end.ready && this.#end.outbox.push(now)) this.#handler.writable(now);
  }
}
