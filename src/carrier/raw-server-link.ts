/** A tunnel server's link over raw connections: what of the clients' conversations arrives, and the way back to each (conversation-table.ts). */
import type { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import type { RawPeer } from "../faketcp/server.ts";
import type { Link, LinkHandler } from "../host/link.ts";
import { newUdpCounters } from "../host/loop.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";
import { Arrivals } from "./arrivals.ts";
import { ConversationTable } from "./conversation-table.ts";
import { RawServerEnd, type RawServerEndSettings, type RawServerUser } from "./raw-server-end.ts";
import { newCarrierCounters } from "./settings.ts";

export class RawServerLink implements Link, RawServerUser {
  readonly local: { readonly host: string; readonly port: number };
  readonly addresses: ConversationTable["peers"];
  readonly counters = newUdpCounters();
  readonly carried = newCarrierCounters();
  readonly #table: ConversationTable;
  readonly #loop: EpollLoop;
  readonly #end: RawServerEnd;
  readonly #handler: LinkHandler;
  readonly #closed: (link: RawServerLink) => void;
  readonly #arrivals: Arrivals;
  #blocked = false;
  #sweepAt: Millis = 0;

  /** @throws HostError when the address cannot be had or raw packets are not allowed */
  constructor(
    loop: EpollLoop,
    settings: RawServerEndSettings,
    peersMax: number,
    handler: LinkHandler,
    closed: (link: RawServerLink) => void,
  ) {
    this.#loop = loop;
    this.#handler = handler;
    this.#arrivals = new Arrivals(handler, this.counters, this.carried);
    this.#closed = closed;
    this.local = settings.local;
    this.#table = new ConversationTable(peersMax, settings.local.host);
    this.addresses = this.#table.peers;
    this.#end = new RawServerEnd(loop, settings, this.carried, this);
  }

  /** Called by the owner once a round; answers when it wants to be called next. */
  advance(now: Millis): Millis {
    const next = this.#end.advance(now);
    if (now >= this.#sweepAt) {
      this.#sweepAt = now + SWEEP_MS;
      this.#table.sweep(now, IDLE_MS);
    }
    return this.addresses.counters.peers > 0 ? Math.min(next, this.#sweepAt) : next;
  }

  send(batch: Batch, from: number): number {
    const { outbox } = this.#end;
    const { counters } = this;
    const now = this.#loop.now();
    for (let i = from; i < batch.length; i++) {
      if (outbox.full && !outbox.push(now)) {
        this.#blocked = true;
        return i;
      }
      const entry = this.addresses.entry(batch.peer[i]!);
      if (entry === undefined) {
        counters.sendErrors++;
        continue;
      }
      outbox.add(now, entry.peer.connection, batch.bytes, batch.start[i]!, batch.end[i]!, entry.conversation);
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

  datagram(now: Millis, peer: RawPeer, batch: Batch, start: number, end: number, conversation: number): void {
    const id = this.#table.idOf(now, peer, conversation);
    if (id < 0) {
      this.counters.receiveDropped++;
      return;
    }
    this.#arrivals.add(now, batch, start, end, id);
  }

  received(now: Millis): void {
    this.#arrivals.deliver(now);
  }

  closed(_now: Millis, peer: RawPeer): void {
    this.#table.close(peer);
  }

  writable(now: Millis): void {
    if (!this.#end.outbox.push(now) || !this.#blocked) return;
    this.#blocked = false;
    this.#handler.writable(now);
  }
}

const SWEEP_MS: Millis = 1000;
/** Somebody who speaks and gets no session is forgotten after so long. */
const IDLE_MS: Millis = 30_000;
