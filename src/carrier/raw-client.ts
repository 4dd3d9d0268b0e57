/**
 * The client's end of a raw carrier: datagrams of local applications go out as packets of one raw connection, each application's as a conversation of its
 * own, and come back to it.
 *
 *   application ─ UDP ─▶ conversation of its address ─▶ RawOutbox ─ raw packets ─▶ server
 */
import { Batch } from "../base/batch.ts";
import { HostError } from "../base/errors.ts";
import type { Millis } from "../base/units.ts";
import { RawClient } from "../faketcp/client.ts";
import { echoType, protocolOf } from "../faketcp/envelope.ts";
import { drawU32 } from "../faketcp/options.ts";
import { DATA } from "../faketcp/packet.ts";
import { addressBytes, ipFamily } from "../host/ip-address.ts";
import type { Log } from "../host/log.ts";
import type { Driver, UdpSocket } from "../host/loop.ts";
import type { EpollLoop } from "../host/loop-epoll.ts";
import { RawSocket } from "../host/raw-socket.ts";
import { sourceAddress } from "../host/route.ts";
import { type HeldPort, holdPort } from "./port-holder.ts";
import { RawOutbox } from "./raw-outbox.ts";
import { type CarrierSettings, CONVERSATION_IDLE_MS, CONVERSATIONS_MAX, newCarrierCounters, SOCKET_BUFFER_BYTES } from "./settings.ts";

interface Conversation {
  readonly id: number;
  /** In the local socket's address table, where it is held. */
  readonly peer: number;
  usedAt: Millis;
}

export class RawClientCarrier implements Driver {
  readonly counters = newCarrierCounters();
  readonly core: RawClient;
  readonly #loop: EpollLoop;
  readonly #settings: CarrierSettings;
  readonly #log: Log;
  readonly #raw: RawSocket;
  readonly #udp: UdpSocket;
  readonly #outbox: RawOutbox;
  readonly #remote: Uint8Array;
  readonly #byId = new Map<number, Conversation>();
  readonly #byPeer = new Map<number, Conversation>();
  /** Datagrams on their way back, lying in the raw socket's slab. */
  #back: Batch | undefined;
  #held: HeldPort | undefined;
  #retryAt: Millis = 0;
  #sweepAt: Millis = 0;
  #state = "";

  /** @throws HostError when an address cannot be had or raw packets are not allowed */
  constructor(loop: EpollLoop, settings: CarrierSettings, log: Log) {
    const { raw, local, remote, socketBufferBytes = SOCKET_BUFFER_BYTES, conversationsMax = CONVERSATIONS_MAX } = settings;
    this.#loop = loop;
    this.#settings = settings;
    this.#log = log;
    this.#remote = addressBytes(remote.host);
    this.core = new RawClient(raw);
    const fromServer = { receive: (now: Millis, batch: Batch) => this.#fromServer(now, batch), writable: () => undefined };
    const fromApplications = { receive: (now: Millis, batch: Batch) => this.#fromApplications(now, batch), writable: () => undefined };
    this.#raw = new RawSocket(loop, { version: ipFamily(remote.host) === 4 ? 4 : 6, bufferBytes: socketBufferBytes }, fromServer);
    this.#outbox = new RawOutbox(this.#raw, this.counters);
    this.#udp = loop.udp({ ...local, peersMax: conversationsMax * 2, socketBufferBytes }, fromApplications);
    loop.drive(this);
  }

  get local(): UdpSocket["local"] {
    return this.#udp.local;
  }

  get conversations(): number {
    return this.#byId.size;
  }

  /** Another connection from another port. */
  reconnect(now: Millis): void {
    this.core.reconnect(now);
    this.#loop.wake();
  }

  advance(now: Millis): Millis {
    this.core.advance(now);
    if (this.core.needsPort && now >= this.#retryAt) this.#connect(now);
    while (!this.core.transmit(now, this.#outbox.batch)) this.#outbox.flush();
    this.#outbox.flush();
    if (now >= this.#sweepAt) this.#sweep(now);
    this.#tell();
    return Math.min(this.core.needsPort ? this.#retryAt : this.core.deadline(), this.#sweepAt);
  }

  #connect(now: Millis): void {
    const { raw, remote, sourceHost, sourcePort } = this.#settings;
    this.#retryAt = now + RETRY_MS;
    this.#held?.close();
    this.#held = undefined;
    try {
      const host = sourceHost ?? sourceAddress(this.#loop.sys, remote);
      const localPort = sourcePort ?? PORT_LEAST + (drawU32(raw.random) % (PORT_MOST - PORT_LEAST + 1));
      this.#held = holdPort(this.#loop, raw.mode, host, localPort);
      const v6 = this.#remote.length === 16;
      const icmp = raw.mode === "icmp";
      const icmpType = echoType("server", v6);
      this.#raw.filter({ protocol: protocolOf(raw.mode, v6), port: localPort, ...(icmp ? { icmpType } : {}) });
      this.core.connect(now, { local: addressBytes(host), remote: this.#remote, localPort, remotePort: icmp ? localPort : remote.port });
      this.#retryAt = now;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#log.warn({ reason: error.message }, "no raw connection can begin; trying again");
    }
  }

  #fromApplications(now: Millis, batch: Batch): void {
    const { core, counters } = this;
    for (let i = 0; i < batch.length; i++) {
      const conversation = this.#conversationOf(now, batch.peer[i]!);
      if (conversation === undefined) continue;
      if (core.state !== "ready") counters.droppedUnconnected++;
      else this.#outbox.add(now, core.connection, batch.bytes, batch.start[i]!, batch.end[i]!, conversation.id);
    }
    this.#outbox.flush();
  }

  #fromServer(now: Millis, batch: Batch): void {
    this.#back ??= new Batch(BACK_DATAGRAMS, batch.bytes);
    const back = this.#back;
    const { core } = this;
    for (let i = 0; i < batch.length; i++) {
      if (!core.receive(now, batch.bytes, batch.view, batch.start[i]!, batch.end[i]!)) continue;
      for (let found = core.next(now, batch.bytes, batch.view); found !== 0; found = core.next(now, batch.bytes, batch.view)) {
        if (found === DATA) this.#lay(now, back);
      }
    }
    this.#sendBack(back);
    this.#loop.wake();
  }

  #lay(now: Millis, back: Batch): void {
    const { dataStart, dataEnd, conversation } = this.core.connection;
    const known = this.#byId.get(conversation);
    if (known === undefined) {
      this.counters.droppedUnknown++;
      return;
    }
    known.usedAt = now;
    if (back.full) this.#sendBack(back);
    back.add(dataStart, dataEnd, known.peer);
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

  #tell(): void {
    const { state } = this.core;
    if (state === this.#state) return;
    if (state === "ready") this.#log.info({ port: this.core.ends?.localPort }, "raw connection is ready");
    else if (this.#state === "ready") this.#log.warn({ silences: this.core.stats.silences }, "raw connection is lost");
    this.#state = state;
  }
}

/** Those of the original. */
const PORT_LEAST = 10_000;
const PORT_MOST = 65_534;
const RETRY_MS: Millis = 1000;
const SWEEP_MS: Millis = 1000;
const BACK_DATAGRAMS = 1024;
