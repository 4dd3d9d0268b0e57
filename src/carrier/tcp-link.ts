/**
 * A tunnel's link to one server over TCP: one session of one or several connections, each made anew when it has ended. A datagram goes to the connection before
 * which least waits, so that one that has lost a packet holds up its own datagrams only.
 */
import type { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import type { Departure } from "../host/departure.ts";
import type { Link, LinkHandler } from "../host/link.ts";
import type { Log } from "../host/log.ts";
import { type Loop, newUdpCounters } from "../host/loop.ts";
import { OnePeer } from "../host/one-peer.ts";
import type { HostPort } from "./settings.ts";
import { BATCH_DATAGRAMS, TcpChannel, type TcpChannelUser } from "./tcp-channel.ts";
import type { TcpDialer } from "./tcp-dialer.ts";
import { SESSION_BYTES, type TcpHello, type TcpPrimitives } from "./tcp-hello.ts";

export interface TcpLinkSettings {
  readonly hello: TcpHello;
  readonly random: TcpPrimitives["random"];
  /** How a connection is made: plain or by TLS. */
  readonly dial: TcpDialer;
  /** 1…16. */
  readonly connections: number;
  /** For who cannot wait: what is sent while no connection is open waits before the one that is being made. Default false. */
  readonly eager?: boolean;
  readonly departure?: Departure | undefined;
}

export class TcpLink implements Link, TcpChannelUser {
  readonly local = { host: "::", port: 0 };
  readonly batchDatagrams = BATCH_DATAGRAMS;
  readonly addresses: OnePeer;
  readonly counters = newUdpCounters();
  readonly #loop: Loop;
  readonly #server: HostPort;
  readonly #settings: TcpLinkSettings;
  readonly #log: Log;
  readonly #handler: LinkHandler;
  readonly #closed: (link: TcpLink) => void;
  readonly #session = new Uint8Array(SESSION_BYTES);
  readonly #places: Place[];
  #open = true;

  constructor(loop: Loop, server: HostPort, settings: TcpLinkSettings, log: Log, handler: LinkHandler, closed: (link: TcpLink) => void) {
    this.#loop = loop;
    this.#server = server;
    this.#settings = settings;
    this.#log = log;
    this.#handler = handler;
    this.#closed = closed;
    this.addresses = new OnePeer(server);
    settings.random(this.#session);
    this.#places = Array.from({ length: settings.connections }, () => ({ channel: undefined, dialAt: 0, failures: 0 }));
  }

  takes(): boolean {
    let takes = false;
    for (let i = 0; i < this.#places.length; i++) if (this.#places[i]!.channel?.takes === true) takes = true;
    return takes;
  }

  paces(): boolean {
    return true;
  }

  /** Called by the owner once a round; answers when it wants to be called next. */
  advance(now: Millis): Millis {
    let next = Number.POSITIVE_INFINITY;
    for (const place of this.#places) {
      if (place.channel === undefined && now >= place.dialAt) this.#dial(now, place);
      next = Math.min(next, place.channel?.advance(now) ?? place.dialAt);
    }
    return next;
  }

  send(batch: Batch, from: number): number {
    const now = this.#loop.now();
    const { counters } = this;
    for (let i = from; i < batch.length; i++) {
      const channel = this.#least();
      if (channel === undefined) return i;
      const [start, end] = [batch.start[i]!, batch.end[i]!];
      channel.push(now, batch.bytes, start, end);
      counters.sentDatagrams++;
      counters.sentBytes += end - start;
    }
    for (let i = 0; i < this.#places.length; i++) this.#places[i]!.channel?.flush(now);
    this.#countDropped();
    counters.sendCalls++;
    return batch.length;
  }

  close(): void {
    this.#open = false;
    this.#closed(this);
    for (const place of this.#places) place.channel?.close();
  }

  opened(now: Millis, channel: TcpChannel): void {
    const place = this.#placeOf(channel);
    if (place !== undefined) place.failures = 0;
    this.#log.info(
      { server: channel.socket?.remote, ...this.#settings.dial.facts(channel.socket) },
      "TCP connection of the carrier is open",
    );
    this.#handler.writable(now);
  }

  arrived(now: Millis, _channel: TcpChannel, batch: Batch): void {
    const { counters } = this;
    counters.receiveCalls++;
    counters.receivedDatagrams += batch.length;
    for (let i = 0; i < batch.length; i++) counters.receivedBytes += batch.end[i]! - batch.start[i]!;
    this.#handler.receive(now, batch);
    this.#loop.wake();
  }

  writable(now: Millis): void {
    this.#handler.writable(now);
  }

  closed(now: Millis, channel: TcpChannel, reason: string): void {
    const place = this.#placeOf(channel);
    if (place === undefined || !this.#open) return;
    this.#countDropped();
    place.channel = undefined;
    const pause = Math.min(RETRY_MOST_MS, RETRY_LEAST_MS * 2 ** place.failures++);
    place.dialAt = now + pause;
    this.#log.warn({ server: this.addresses.format(), reason, retryMs: pause }, "TCP connection of the carrier has ended");
    this.#loop.wake();
  }

  #dial(now: Millis, place: Place): void {
    const { hello, dial, departure } = this.#settings;
    const channel = new TcpChannel({ hello, user: this, now, session: this.#session });
    place.channel = channel;
    channel.socket = dial.dial(this.#loop, this.#server, channel, departure);
  }

  /** The open connection before which least waits. */
  #least(): TcpChannel | undefined {
    let least: TcpChannel | undefined;
    for (let i = 0; i < this.#places.length; i++) {
      const { channel } = this.#places[i]!;
      if (channel === undefined || (channel.state !== "open" && this.#settings.eager !== true)) continue;
      if (least === undefined || channel.queue.bytes < least.queue.bytes) least = channel;
    }
    return least;
  }

  #placeOf(channel: TcpChannel): Place | undefined {
    return this.#places.find((place) => place.channel === channel);
  }

  #countDropped(): void {
    const { counters } = this;
    for (let i = 0; i < this.#places.length; i++) {
      const queue = this.#places[i]!.channel?.queue;
      if (queue === undefined) continue;
      counters.sendErrors += queue.droppedFull + queue.droppedLate;
      queue.droppedFull = 0;
      queue.droppedLate = 0;
    }
  }
}

interface Place {
  channel: TcpChannel | undefined;
  dialAt: Millis;
  /** In a row. */
  failures: number;
}

/** Tuning. */
const RETRY_LEAST_MS: Millis = 250;
const RETRY_MOST_MS: Millis = 5_000;
