/**
 * A link in, UDP out, at the far end: each peer of the link has a UDP socket of its own towards the target, so that the target sees them as different senders.
 */
import type { Batch } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import type { Carrier, Link } from "../host/link.ts";
import type { Log } from "../host/log.ts";
import type { Driver, Loop } from "../host/loop.ts";
import type { LinkSettings } from "./link-applications.ts";
import { ServerConversation } from "./server-conversation.ts";
import { type CarrierCounters, CONVERSATION_IDLE_MS, CONVERSATIONS_MAX, newCarrierCounters, SOCKET_BUFFER_BYTES } from "./settings.ts";

export class LinkTarget implements Driver {
  readonly counters: CarrierCounters = newCarrierCounters();
  readonly #loop: Loop;
  readonly #settings: LinkSettings;
  readonly #log: Log;
  readonly #link: Link;
  readonly #conversations = new Map<number, ServerConversation>();
  #sweepAt: Millis = 0;

  /** @throws HostError when the address cannot be had */
  constructor(loop: Loop, carrier: Carrier, settings: LinkSettings, log: Log) {
    this.#loop = loop;
    this.#settings = settings;
    this.#log = log;
    const { local, conversationsMax = CONVERSATIONS_MAX } = settings;
    const handler = { receive: (now: Millis, batch: Batch) => this.#receive(now, batch), writable: () => undefined };
    this.#link = carrier.listen(local, { peersMax: conversationsMax }, handler);
    loop.drive(this);
  }

  get local(): Link["local"] {
    return this.#link.local;
  }

  advance(now: Millis): Millis {
    if (now >= this.#sweepAt) {
      this.#sweepAt = now + SWEEP_MS;
      const { conversationIdleMs = CONVERSATION_IDLE_MS } = this.#settings;
      for (const [peer, conversation] of this.#conversations) {
        if (now - conversation.usedAt < conversationIdleMs) continue;
        conversation.close();
        this.#conversations.delete(peer);
        this.#link.addresses.release(peer);
      }
    }
    return this.#sweepAt;
  }

  #receive(now: Millis, batch: Batch): void {
    // All datagrams of a call are of one peer's connection.
    const peer = batch.peer[0]!;
    const conversation = this.#conversations.get(peer) ?? this.#begin(now, peer);
    if (conversation === undefined) {
      this.counters.droppedUnknown += batch.length;
      return;
    }
    const sent = conversation.send(now, batch);
    this.counters.carriedIn += sent;
    this.counters.droppedBusy += batch.length - sent;
  }

  #begin(now: Millis, peer: number): ServerConversation | undefined {
    try {
      const { remote, socketBufferBytes = SOCKET_BUFFER_BYTES } = this.#settings;
      const made = new ServerConversation(this.#loop, remote, socketBufferBytes, now, (_now, batch) => this.#back(peer, batch));
      this.#link.addresses.hold(peer);
      this.#conversations.set(peer, made);
      return made;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.counters.conversationLimitHits++;
      this.#log.warn({ reason: error.message }, "no socket for another conversation");
      return undefined;
    }
  }

  #back(peer: number, batch: Batch): void {
    batch.peer.fill(peer, 0, batch.length);
    this.counters.carriedOut += this.#link.send(batch, 0);
  }
}

const SWEEP_MS: Millis = 1000;
