/**
 * The server's end of a raw carrier: each conversation of each client gets a UDP socket of its own towards the target, so that the target sees them as
 * different senders.
 *
 *   clients ─ raw packets ─▶ RawServer ─▶ conversation ─ UDP ─▶ target
 */
import { Batch } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import { echoType, protocolOf } from "../faketcp/envelope.ts";
import { DATA } from "../faketcp/packet.ts";
import { type RawPeer, RawServer } from "../faketcp/server.ts";
import { ipFamily } from "../host/ip-address.ts";
import type { Log } from "../host/log.ts";
import type { Driver } from "../host/loop.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";
import { RawSocket } from "../host/raw-socket.ts";
import { type HeldPort, holdPort } from "./port-holder.ts";
import { RawOutbox } from "./raw-outbox.ts";
import { ServerConversation } from "./server-conversation.ts";
import { type CarrierSettings, CONVERSATION_IDLE_MS, CONVERSATIONS_MAX, newCarrierCounters, SOCKET_BUFFER_BYTES } from "./settings.ts";

export class RawServerCarrier implements Driver {
  readonly counters = newCarrierCounters();
  readonly core: RawServer;
  readonly #loop: EpollLoop;
  readonly #settings: CarrierSettings;
  readonly #log: Log;
  readonly #raw: RawSocket;
  readonly #outbox: RawOutbox;
  readonly #held: HeldPort;
  readonly #conversations = new Map<RawPeer, Map<number, ServerConversation>>();
  /** Datagrams on their way to the target, lying in the raw socket's slab. */
  #onward: Batch | undefined;
  #sweepAt: Millis = 0;

  /** @throws HostError when an address cannot be had or raw packets are not allowed */
  constructor(loop: EpollLoop, settings: CarrierSettings, log: Log) {
    const { raw, local, socketBufferBytes = SOCKET_BUFFER_BYTES } = settings;
    const v6 = ipFamily(local.host) === 6;
    this.#loop = loop;
    this.#settings = settings;
    this.#log = log;
    this.core = new RawServer(local.port, raw);
    const fromClients = { receive: (now: Millis, batch: Batch) => this.#fromClients(now, batch), writable: () => undefined };
    this.#raw = new RawSocket(loop, { version: v6 ? 6 : 4, bufferBytes: socketBufferBytes }, fromClients);
    this.#outbox = new RawOutbox(this.#raw, this.counters);
    this.#held = holdPort(loop, raw.mode, local.host, local.port);
    const which = raw.mode === "icmp" ? { icmpType: echoType("client", v6) } : { port: local.port };
    this.#raw.filter({ protocol: protocolOf(raw.mode, v6), ...which });
    loop.drive(this);
  }

  get conversations(): number {
    let sum = 0;
    for (const each of this.#conversations.values()) sum += each.size;
    return sum;
  }

  advance(now: Millis): Millis {
    this.core.advance(now);
    this.#forgetClosed();
    while (!this.core.transmit(now, this.#outbox.batch)) this.#outbox.flush();
    this.#outbox.flush();
    if (now >= this.#sweepAt) this.#sweep(now);
    return Math.min(this.core.deadline(), this.#sweepAt);
  }

  close(): void {
    for (const each of this.#conversations.values()) for (const conversation of each.values()) conversation.close();
    this.#conversations.clear();
    this.#held.close();
    this.#raw.close();
  }

  #fromClients(now: Millis, batch: Batch): void {
    this.#onward ??= new Batch(1, batch.bytes);
    const { core } = this;
    for (let i = 0; i < batch.length; i++) {
      if (this.#outbox.batch.full) this.#outbox.flush();
      const peer = core.receive(now, batch.bytes, batch.view, batch.start[i]!, batch.end[i]!, this.#outbox.batch);
      if (peer === undefined) continue;
      for (let found = core.next(now, batch.bytes, batch.view); found !== 0; found = core.next(now, batch.bytes, batch.view)) {
        if (found === DATA) this.#pass(now, peer, this.#onward);
      }
    }
    this.#outbox.flush();
    this.#forgetClosed();
    this.#loop.wake();
  }

  #pass(now: Millis, peer: RawPeer, onward: Batch): void {
    const { dataStart, dataEnd, conversation: id } = peer.connection;
    const conversation = this.#conversationOf(now, peer, id);
    if (conversation === undefined) {
      this.counters.droppedUnknown++;
      return;
    }
    onward.length = 1;
    onward.start[0] = dataStart;
    onward.end[0] = dataEnd;
    const sent = conversation.send(now, onward);
    this.counters.carriedIn += sent;
    this.counters.droppedBusy += 1 - sent;
  }

  #conversationOf(now: Millis, peer: RawPeer, id: number): ServerConversation | undefined {
    let ofPeer = this.#conversations.get(peer);
    const known = ofPeer?.get(id);
    if (known !== undefined) return known;
    if ((ofPeer?.size ?? 0) >= (this.#settings.conversationsMax ?? CONVERSATIONS_MAX)) {
      this.counters.conversationLimitHits++;
      return undefined;
    }
    try {
      const { remote, socketBufferBytes = SOCKET_BUFFER_BYTES } = this.#settings;
      const made = new ServerConversation(this.#loop, remote, socketBufferBytes, now, (at, batch) => this.#fromTarget(at, peer, id, batch));
      if (ofPeer === undefined) {
        ofPeer = new Map();
        this.#conversations.set(peer, ofPeer);
      }
      ofPeer.set(id, made);
      peer.busy = true;
      this.#log.debug({ conversation: id.toString(16) }, "new conversation");
      return made;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.counters.conversationLimitHits++;
      this.#log.warn({ reason: error.message }, "no socket for another conversation");
      return undefined;
    }
  }

  #fromTarget(now: Millis, peer: RawPeer, id: number, batch: Batch): void {
    for (let i = 0; i < batch.length; i++) this.#outbox.add(now, peer.connection, batch.bytes, batch.start[i]!, batch.end[i]!, id);
    this.#outbox.flush();
  }

  #sweep(now: Millis): void {
    const idleMs = this.#settings.conversationIdleMs ?? CONVERSATION_IDLE_MS;
    this.#sweepAt = now + SWEEP_MS;
    for (const [peer, ofPeer] of this.#conversations) {
      for (const [id, conversation] of ofPeer) {
        if (now - conversation.usedAt < idleMs) continue;
        conversation.close();
        ofPeer.delete(id);
      }
      if (ofPeer.size > 0) continue;
      this.#conversations.delete(peer);
      peer.busy = false;
    }
  }

  #forgetClosed(): void {
    for (let peer = this.core.closed(); peer !== undefined; peer = this.core.closed()) {
      for (const conversation of this.#conversations.get(peer)?.values() ?? []) conversation.close();
      this.#conversations.delete(peer);
    }
  }
}

const SWEEP_MS: Millis = 1000;
