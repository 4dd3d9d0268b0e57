/**
 * The client's end of a raw carrier: datagrams of local applications go out as packets of one raw connection, each application's as a conversation of its
 * own, and come back to it.
 *
 *   application ─ UDP ─▶ conversation of its address ─▶ RawClientEnd ─ raw packets ─▶ server
 */
import { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import type { RawClient } from "../faketcp/client.ts";
import { drawU32 } from "../faketcp/options.ts";
import { formatAddress, formatHostPort } from "../host/ip-address.ts";
import type { Log } from "../host/log.ts";
import type { Driver, UdpSocket } from "../host/loop.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";
import { LongDatagrams } from "./long-datagrams.ts";
import { type RawObservation, reportOf } from "./observation.ts";
import { RawClientEnd, type RawClientUser } from "./raw-client-end.ts";
import { type CarrierSettings, CONVERSATION_IDLE_MS, CONVERSATIONS_MAX, newCarrierCounters, SOCKET_BUFFER_BYTES } from "./settings.ts";

interface Conversation {
  readonly id: number;
  /** In the local socket's address table, where it is held. */
  readonly peer: number;
  usedAt: Millis;
}

export class RawClientCarrier implements Driver, RawClientUser {
  readonly counters = newCarrierCounters();
  readonly #settings: CarrierSettings;
  readonly #log: Log;
  readonly #end: RawClientEnd;
  readonly #udp: UdpSocket;
  readonly #long: LongDatagrams;
  readonly #byId = new Map<number, Conversation>();
  readonly #byPeer = new Map<number, Conversation>();
  /** Datagrams on their way back, lying in the raw socket's slab. */
  #back: Batch | undefined;
  #sweepAt: Millis = 0;

  /** @throws HostError when an address cannot be had or raw packets are not allowed */
  constructor(loop: EpollLoop, settings: CarrierSettings, log: Log) {
    const { local, socketBufferBytes = SOCKET_BUFFER_BYTES, conversationsMax = CONVERSATIONS_MAX } = settings;
    this.#settings = settings;
    this.#log = log;
    const fromApplications = { receive: (now: Millis, batch: Batch) => this.#fromApplications(now, batch), writable: () => undefined };
    this.#long = new LongDatagrams(settings.mtuWarnBytes ?? Number.POSITIVE_INFINITY, log);
    this.#end = new RawClientEnd(loop, settings, this.counters, log, this);
    this.#udp = loop.udp({ ...local, peersMax: conversationsMax * 2, socketBufferBytes }, fromApplications);
    loop.drive(this);
  }

  get core(): RawClient {
    return this.#end.core;
  }

  get local(): UdpSocket["local"] {
    return this.#udp.local;
  }

  get conversations(): number {
    return this.#byId.size;
  }

  /** Another connection from another port. */
  reconnect(now: Millis): void {
    this.#end.reconnect(now);
  }

  observe(now: Millis): RawObservation {
    const { core, socket } = this.#end;
    const { ends, connection, state } = core;
    const peer = ends === undefined ? "" : formatHostPort(formatAddress(ends.remote), ends.remotePort);
    const report = reportOf(now, peer, connection, this.conversations);
    return {
      counted: {
        carrier: { ...this.counters },
        socket: { ...socket.counters },
        client: { ...core.stats },
        connection: { ...connection.stats },
      },
      conversations: this.conversations,
      connections: state === "ready" ? [report] : [],
      connectionsOmitted: 0,
    };
  }

  advance(now: Millis): Millis {
    const next = this.#end.advance(now);
    if (now >= this.#sweepAt) this.#sweep(now);
    return Math.min(next, this.#sweepAt);
  }

  datagram(now: Millis, batch: Batch, start: number, end: number, conversation: number): void {
    this.#back ??= new Batch(BACK_DATAGRAMS, batch.bytes);
    const back = this.#back;
    const known = this.#byId.get(conversation);
    if (known === undefined) {
      this.counters.droppedUnknown++;
      return;
    }
    known.usedAt = now;
    this.counters.bytesIn += end - start;
    if (back.full) this.#sendBack(back);
    back.add(start, end, known.peer);
  }

  received(): void {
    if (this.#back !== undefined) this.#sendBack(this.#back);
  }

  /** UDP waits for nobody. */
  writable(): void {}

  #fromApplications(now: Millis, batch: Batch): void {
    const { counters } = this;
    const { core, outbox } = this.#end;
    for (let i = 0; i < batch.length; i++) {
      const conversation = this.#conversationOf(now, batch.peer[i]!);
      if (conversation === undefined) continue;
      if (core.state !== "ready") counters.droppedUnconnected++;
      else {
        counters.longDatagrams += this.#long.see(now, batch.end[i]! - batch.start[i]!);
        outbox.add(now, core.connection, batch.bytes, batch.start[i]!, batch.end[i]!, conversation.id);
      }
    }
  }

  #sendBack(back: Batch): void {
    const sent = this.#udp.send(back, 0);
    this.counters.carriedIn += sent;
    this.counters.droppedBusy += back.length - sent;
    back.length = 0;
  }

  #conversationOf(now: Millis, peer: number): Conversation | undefined {
    let conversation = this.#byPeer.get(peer);
    if (conversation === undefined) {
      if (this.#byId.size >= (this.#settings.conversationsMax ?? CONVERSATIONS_MAX)) {
        this.counters.conversationLimitHits++;
        return undefined;
      }
      let id = 0;
      while (id === 0 || this.#byId.has(id)) id = drawU32(this.#settings.raw.random);
      conversation = { id, peer, usedAt: now };
      this.#udp.addresses.hold(peer);
      this.#byId.set(id, conversation);
      this.#byPeer.set(peer, conversation);
      this.#log.debug({ from: this.#udp.addresses.format(peer), conversation: id.toString(16) }, "new conversation");
    }
    conversation.usedAt = now;
    return conversation;
  }

  #sweep(now: Millis): void {
    const idleMs = this.#settings.conversationIdleMs ?? CONVERSATION_IDLE_MS;
    this.#sweepAt = now + SWEEP_MS;
    for (const conversation of this.#byId.values()) {
      if (now - conversation.usedAt < idleMs) continue;
      this.#byId.delete(conversation.id);
      this.#byPeer.delete(conversation.peer);
      this.#udp.addresses.release(conversation.peer);
    }
  }
}

const SWEEP_MS: Millis = 1000;
const BACK_DATAGRAMS = 1024;
