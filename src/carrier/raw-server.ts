/**
 * The server's end of a raw carrier: each conversation of each client gets a UDP socket of its own towards the target, so that the target sees them as
 * different senders.
 *
 *   clients ─ raw packets ─▶ RawServerEnd ─▶ conversation ─ UDP ─▶ target
 */
import type { Batch } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import type { RawPeer, RawServer } from "../faketcp/server.ts";
import { formatAddress, formatHostPort } from "../host/ip-address.ts";
import type { Log } from "../host/log.ts";
import type { Driver } from "../host/loop.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";
import { LongDatagrams } from "./long-datagrams.ts";
import { OBSERVED_MAX, type RawConnectionReport, type RawObservation, reportOf } from "./observation.ts";
import { OnwardPieces } from "./onward-pieces.ts";
import { NOT_DEAF } from "./port-holder.ts";
import { RawServerEnd, type RawServerUser } from "./raw-server-end.ts";
import { ServerConversation } from "./server-conversation.ts";
import { type CarrierSettings, CONVERSATION_IDLE_MS, CONVERSATIONS_MAX, newCarrierCounters, SOCKET_BUFFER_BYTES } from "./settings.ts";

export class RawServerCarrier implements Driver, RawServerUser {
  readonly counters = newCarrierCounters();
  readonly #loop: EpollLoop;
  readonly #settings: CarrierSettings;
  readonly #log: Log;
  readonly #end: RawServerEnd;
  readonly #long: LongDatagrams;
  readonly #conversations = new Map<RawPeer, Map<number, ServerConversation>>();
  /** Datagrams on their way to the target, lying in the raw socket's slab. */
  readonly #onward = new OnwardPieces<ServerConversation>(ONWARD_DATAGRAMS);
  readonly #handOn = (to: ServerConversation, batch: Batch): void => {
    const sent = to.send(this.#now, batch);
    this.counters.carriedIn += sent;
    this.counters.droppedBusy += batch.length - sent;
  };
  #bytes: Uint8Array = new Uint8Array();
  #now: Millis = 0;
  /** Counts of connections that have ended. */
  readonly #ended: Record<string, number> = {};
  #sweepAt: Millis = 0;

  /** @throws HostError when an address cannot be had or raw packets are not allowed */
  constructor(loop: EpollLoop, settings: CarrierSettings, log: Log) {
    this.#loop = loop;
    this.#settings = settings;
    this.#log = log;
    this.#long = new LongDatagrams(settings.mtuWarnBytes ?? Number.POSITIVE_INFINITY, log);
    this.#end = new RawServerEnd(loop, settings, this.counters, this);
    if (!this.#end.deaf) log.warn({}, NOT_DEAF);
    loop.drive(this);
  }

  get core(): RawServer {
    return this.#end.core;
  }

  get conversations(): number {
    let sum = 0;
    for (const each of this.#conversations.values()) sum += each.size;
    return sum;
  }

  observe(now: Millis): RawObservation {
    const { core, socket } = this.#end;
    const sum = { ...this.#ended };
    const connections: RawConnectionReport[] = [];
    let omitted = 0;
    for (const peer of core.peers) {
      const { connection, address, port } = peer;
      addCounts(sum, connection.stats);
      if (connections.length === OBSERVED_MAX) omitted++;
      else {
        const conversations = this.#conversations.get(peer)?.size ?? 0;
        connections.push(reportOf(now, formatHostPort(formatAddress(address), port), connection, conversations));
      }
    }
    return {
      counted: { carrier: { ...this.counters }, socket: { ...socket.counters }, server: { ...core.stats }, connection: sum },
      conversations: this.conversations,
      connections,
      connectionsOmitted: omitted,
    };
  }

  advance(now: Millis): Millis {
    const next = this.#end.advance(now);
    if (now >= this.#sweepAt) this.#sweep(now);
    return Math.min(next, this.#sweepAt);
  }

  close(): void {
    for (const each of this.#conversations.values()) for (const conversation of each.values()) conversation.close();
    this.#conversations.clear();
    this.#end.close();
  }

  datagram(now: Millis, peer: RawPeer, batch: Batch, start: number, end: number, id: number): void {
    const conversation = this.#conversationOf(now, peer, id);
    if (conversation === undefined) {
      this.counters.droppedUnknown++;
      return;
    }
    this.counters.bytesIn += end - start;
    this.#bytes = batch.bytes;
    if (this.#onward.full) this.received(now);
    this.#onward.add(conversation, start, end);
  }

  received(now: Millis): void {
    this.#now = now;
    this.#onward.flush(this.#bytes, this.#handOn);
  }

  /** UDP waits for nobody. */
  writable(): void {}

  closed(_now: Millis, peer: RawPeer): void {
    for (const conversation of this.#conversations.get(peer)?.values() ?? []) conversation.close();
    this.#conversations.delete(peer);
    addCounts(this.#ended, peer.connection.stats);
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
    const { bytes, start, end, length } = batch;
    for (let i = 0; i < length; i++) {
      this.counters.longDatagrams += this.#long.see(now, end[i]! - start[i]!);
      this.#end.outbox.add(now, peer.connection, bytes, start[i]!, end[i]!, id);
    }
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
}

function addCounts(sum: Record<string, number>, counts: object): void {
  for (const [name, value] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + value;
}

const SWEEP_MS: Millis = 1000;
/** Tuning: datagrams sorted before they are sent. */
const ONWARD_DATAGRAMS = 1024;
