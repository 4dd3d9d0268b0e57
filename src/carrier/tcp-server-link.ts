/** A tunnel server's link over TCP: each session of each client is a peer, whatever connections it has at the moment. */
import type { Batch } from "../base/batch.ts";
import { type Millis, NEVER } from "../base/units.ts";
import type { Link, LinkHandler } from "../host/link.ts";
import type { Log } from "../host/log.ts";
import { type Listener, type Loop, newUdpCounters, type TcpHandler, type TcpSocket } from "../host/loop.ts";
import { LinkPeerTable } from "./link-peer-table.ts";
import type { HostPort } from "./settings.ts";
import { BATCH_DATAGRAMS, TcpChannel, type TcpChannelUser } from "./tcp-channel.ts";
import type { TcpDialer } from "./tcp-dialer.ts";
import type { TcpHello } from "./tcp-hello.ts";

interface TcpSession {
  readonly id: number;
  readonly name: string;
  readonly channels: TcpChannel[];
  /** Of the connection that came last. */
  at: HostPort;
  /** When its last connection ended. */
  aloneAt: Millis;
}

export interface TcpServerCounters {
  /** Connections that were not shown to be a client's. */
  strangers: number;
  /** Limits hit: connections whose hello is not done, connections of one session. */
  pendingLimitHits: number;
  channelLimitHits: number;
}

export class TcpServerLink implements Link, TcpChannelUser {
  readonly local: HostPort;
  readonly batchDatagrams = BATCH_DATAGRAMS;
  readonly addresses: LinkPeerTable<TcpSession>;
  readonly counters = newUdpCounters();
  readonly stats: TcpServerCounters = { strangers: 0, pendingLimitHits: 0, channelLimitHits: 0 };
  readonly #loop: Loop;
  readonly #hello: TcpHello;
  readonly #dialer: TcpDialer;
  readonly #log: Log;
  readonly #handler: LinkHandler;
  readonly #closed: (link: TcpServerLink) => void;
  readonly #listener: Listener;
  readonly #pending = new Set<TcpChannel>();
  readonly #sessions = new Map<string, TcpSession>();
  readonly #ofChannel = new Map<TcpChannel, TcpSession>();
  readonly #touched = new Set<TcpChannel>();
  #sweepAt: Millis = 0;

  /** @throws HostError when the address cannot be had */
  constructor(
    loop: Loop,
    at: HostPort,
    { hello, dial, peersMax }: { readonly hello: TcpHello; readonly dial: TcpDialer; readonly peersMax: number },
    log: Log,
    handler: LinkHandler,
    closed: (link: TcpServerLink) => void,
  ) {
    this.#loop = loop;
    this.#hello = hello;
    this.#dialer = dial;
    this.#log = log;
    this.#handler = handler;
    this.#closed = closed;
    this.addresses = new LinkPeerTable(peersMax, at.host, (session) => session.at);
    this.#listener = dial.listen(loop, at, (socket, now) => this.#accept(socket, now));
    this.local = "port" in this.#listener.local ? this.#listener.local : at;
  }

  takes(peer: number): boolean {
    const session = this.addresses.entry(peer);
    // What is for a session that has no connection now is thrown away by `send`: who sends it knows of losses.
    if (session === undefined || session.channels.length === 0) return true;
    let takes = false;
    for (let i = 0; i < session.channels.length; i++) if (session.channels[i]!.takes) takes = true;
    return takes;
  }

  paces(): boolean {
    return true;
  }

  /** Called by the owner once a round; answers when it wants to be called next. */
  advance(now: Millis): Millis {
    let next: Millis = NEVER;
    for (const channel of this.#pending) next = Math.min(next, channel.advance(now));
    for (const channel of this.#ofChannel.keys()) next = Math.min(next, channel.advance(now));
    if (now >= this.#sweepAt) {
      this.#sweepAt = now + SWEEP_MS;
      for (const session of this.#sessions.values()) {
        if (session.channels.length === 0 && now - session.aloneAt >= ALONE_MS) this.#forget(session);
      }
    }
    return this.#sessions.size > 0 ? Math.min(next, this.#sweepAt) : next;
  }

  send(batch: Batch, from: number): number {
    const now = this.#loop.now();
    const { counters } = this;
    for (let i = from; i < batch.length; i++) {
      const session = this.addresses.entry(batch.peer[i]!);
      const channel = session === undefined ? undefined : least(session.channels);
      if (channel === undefined) {
        counters.sendErrors++;
        continue;
      }
      const [start, end] = [batch.start[i]!, batch.end[i]!];
      channel.push(now, batch.bytes, start, end);
      this.#touched.add(channel);
      counters.sentDatagrams++;
      counters.sentBytes += end - start;
    }
    for (const channel of this.#touched) {
      channel.flush(now);
      this.#countDropped(channel);
    }
    this.#touched.clear();
    counters.sendCalls++;
    return batch.length;
  }

  close(): void {
    this.#closed(this);
    this.#listener.close();
    for (const channel of [...this.#pending, ...this.#ofChannel.keys()]) channel.close();
  }

  opened(now: Millis, channel: TcpChannel): void {
    this.#pending.delete(channel);
    const name = String.fromCharCode(...channel.session!);
    const session = this.#sessions.get(name) ?? this.#begin(name, now);
    if (session === undefined || session.channels.length >= CHANNELS_MAX) {
      this.stats.channelLimitHits++;
      channel.close();
      return;
    }
    session.at = whereOf(channel.socket!.remote);
    session.channels.push(channel);
    this.#ofChannel.set(channel, session);
    this.#log.info({ from: channel.socket!.remote, ...this.#dialer.facts(channel.socket) }, "TCP connection of the carrier is open");
    this.#handler.writable(now);
  }

  arrived(now: Millis, channel: TcpChannel, batch: Batch): void {
    const session = this.#ofChannel.get(channel);
    if (session === undefined) return;
    const { counters } = this;
    counters.receiveCalls++;
    counters.receivedDatagrams += batch.length;
    for (let i = 0; i < batch.length; i++) {
      batch.peer[i] = session.id;
      counters.receivedBytes += batch.end[i]! - batch.start[i]!;
    }
    this.#handler.receive(now, batch);
    this.#loop.wake();
  }

  writable(now: Millis): void {
    this.#handler.writable(now);
  }

  closed(now: Millis, channel: TcpChannel, reason: string): void {
    if (this.#pending.delete(channel)) {
      this.stats.strangers++;
      this.#log.debug({ from: channel.socket?.remote, reason }, "a TCP connection that was none of the carrier's");
      return;
    }
    const session = this.#ofChannel.get(channel);
    if (session === undefined) return;
    this.#countDropped(channel);
    this.#ofChannel.delete(channel);
    session.channels.splice(session.channels.indexOf(channel), 1);
    session.aloneAt = now;
    this.#log.info({ from: channel.socket?.remote, reason }, "TCP connection of the carrier has ended");
  }

  #accept(socket: TcpSocket, now: Millis): TcpHandler | undefined {
    if (this.#pending.size >= PENDING_MAX) {
      this.stats.pendingLimitHits++;
      return undefined;
    }
    const channel = new TcpChannel({ hello: this.#hello, user: this, now });
    channel.socket = socket;
    this.#pending.add(channel);
    this.#loop.wake();
    return channel;
  }

  #begin(name: string, now: Millis): TcpSession | undefined {
    const made = { id: -1, name, channels: [], at: this.local, aloneAt: now };
    const id = this.addresses.add(made);
    if (id < 0) return undefined;
    made.id = id;
    this.#sessions.set(name, made);
    return made;
  }

  #forget(session: TcpSession): void {
    this.#sessions.delete(session.name);
    this.addresses.remove(session.id);
  }

  #countDropped({ queue }: TcpChannel): void {
    this.counters.sendErrors += queue.droppedFull + queue.droppedLate;
    queue.droppedFull = 0;
    queue.droppedLate = 0;
  }
}

function least(channels: readonly TcpChannel[]): TcpChannel | undefined {
  let found: TcpChannel | undefined;
  for (let i = 0; i < channels.length; i++) {
    const channel = channels[i]!;
    if (channel.state === "open" && (found === undefined || channel.queue.bytes < found.queue.bytes)) found = channel;
  }
  return found;
}

/** "203.0.113.7:4711" or "[2001:db8::1]:4711". */
export function whereOf(remote: string): HostPort {
  const colon = remote.lastIndexOf(":");
  return { host: remote.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(remote.slice(colon + 1)) };
}

/** Tuning. */
const PENDING_MAX = 256;
const CHANNELS_MAX = 16;
const SWEEP_MS: Millis = 5_000;
/** A session whose connections are all gone is forgotten after so long. */
const ALONE_MS: Millis = 60_000;
