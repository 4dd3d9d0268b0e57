/**
 * The live origin: encoders publish by RTMP, viewers fetch LL-HLS.
 *
 *   encoder ─ RTMP ─▶ RtmpSession ─ Units ─▶ Channel ─ Segmenter ─▶ Window ─▶ delivery ─ HTTP ─▶ viewers
 *
 * One process, one thread: sockets of encoders by the loop, viewers by an HTTP application (`delivery`) that whoever composes the program serves.
 * A channel has one encoder at a time. A second one with the same key is refused while the first is heard; when the first has been silent for a few
 * seconds, which on a bad link means that it is reconnecting, the second takes over.
 */
import { Prng } from "../base/prng.ts";
import { type Millis, NEVER } from "../base/units.ts";
import { gzip } from "../host/http.ts";
import type { Log } from "../host/log.ts";
import type { Driver, Endpoint, Listener, Loop, TcpHandler, TcpSocket } from "../host/loop.ts";
import { segmenterDefaults } from "../media/hls/segmenter.ts";
import { statusCode } from "../media/rtmp/command.ts";
import type { RtmpServerOptions } from "../media/rtmp/server.ts";
import { Channel } from "./channel.ts";
import type { LiveConfig } from "./config.ts";
import type { Source } from "./delivery.ts";
import type { Publisher, Refusal } from "./publisher.ts";
import { type Host, RtmpSession } from "./rtmp-session.ts";
import { StreamKeys } from "./stream-key.ts";

export class Origin implements Source, Driver, Host {
  readonly log: Log;
  readonly buffer = new Uint8Array(65_536);
  readonly channels: ReadonlyMap<string, Channel>;
  readonly #config: LiveConfig;
  readonly #loop: Loop;
  readonly #wallClock: () => number;
  readonly #keys: StreamKeys;
  readonly #rtmp: RtmpServerOptions;
  readonly #sessions = new Set<RtmpSession>();
  readonly #publishers = new Map<Channel, Publisher>();
  readonly #listeners: Listener[] = [];
  #accepted = 0;
  readonly #refused: Record<string, number> = {};

  /** `wallClock` in Unix ms. */
  constructor(config: LiveConfig, loop: Loop, log: Log, wallClock: () => number = Date.now) {
    this.#config = config;
    this.#loop = loop;
    this.log = log;
    this.#wallClock = wallClock;
    this.#keys = new StreamKeys(config.channels);
    const limits = { setupMillis: config.publishwait * 1000, idleMillis: config.idle * 1000 };
    this.#rtmp = { random: new Prng(wallClock()).fill(new Uint8Array(HANDSHAKE_RANDOM_BYTES)), limits };
    this.channels = new Map(Object.keys(config.channels).map((name) => [name, this.#channel(name)]));
    loop.drive(this);
  }

  /** Where encoders publish. @throws HostError when the address cannot be bound */
  listen(at: Endpoint): Listener {
    const listener = this.#loop.listen(at, (socket, now) => this.#accept(socket, now));
    this.#listeners.push(listener);
    return listener;
  }

  /** Ends every connection of encoders, in order, and accepts no more. */
  close(): void {
    for (const listener of this.#listeners) listener.close();
    const now = this.now();
    for (const session of this.#sessions) session.stop(now);
  }

  get ingest(): Source["ingest"] {
    const local = this.#listeners[0]?.local;
    const port = local !== undefined && "port" in local ? local.port : 0;
    return { port, connections: this.#sessions.size, accepted: this.#accepted, refused: this.#refused };
  }

  now(): Millis {
    return this.#loop.now();
  }

  wallClock(): number {
    return this.#wallClock();
  }

  wake(): void {
    this.#loop.wake();
  }

  advance(now: Millis): Millis {
    let deadline = NEVER;
    for (const session of this.#sessions) deadline = Math.min(deadline, session.advance(now));
    for (const channel of this.channels.values()) deadline = Math.min(deadline, channel.advance(now));
    return deadline;
  }

  /** Decides about a key. A channel is then the publisher's, who starts and ends it, until `released`. */
  admit(session: Publisher, key: string, now: Millis): Channel | Refusal {
    const name = this.#keys.channel(key);
    const channel = name === undefined ? undefined : this.channels.get(name);
    if (channel === undefined) return { code: statusCode.publishDenied, reason: "key", description: "no channel has this stream key" };
    const publisher = this.#publishers.get(channel);
    if (publisher !== undefined && now - publisher.heard < this.#config.takeover * 1000) {
      return { code: statusCode.badName, reason: "busy", description: `channel ${channel.name} is being published to already` };
    }
    publisher?.refuse(now, { code: statusCode.failed, reason: "takeover", description: "another encoder took the channel over" });
    this.#publishers.set(channel, session);
    return channel;
  }

  released(session: Publisher, channel: Channel): void {
    if (this.#publishers.get(channel) === session) this.#publishers.delete(channel);
  }

  refused(reason: string): void {
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
  }

  closed(session: RtmpSession): void {
    this.#sessions.delete(session);
  }

  #accept(socket: TcpSocket, now: Millis): TcpHandler | undefined {
    if (this.#sessions.size >= this.#config.connections) {
      this.refused("connections");
      this.log.warn({ peer: socket.remote, connections: this.#sessions.size }, "encoder refused: too many connections");
      return undefined;
    }
    this.#accepted++;
    const session = new RtmpSession(this, socket, this.#rtmp, now);
    this.#sessions.add(session);
    return session;
  }

  #channel(name: string): Channel {
    const { part, segment, window, kept, memory, waiting, offline } = this.#config;
    const bytesMax = memory * 2 ** 20;
    return new Channel(name, {
      window: {
        // Seconds pass faster than segments are made, so a restarted origin never gives a number twice.
        firstMsn: Math.floor(this.#wallClock() / 1000),
        segmentsMax: window,
        segmentsKept: kept,
        bytesMax,
        targetDuration: Math.max(1, Math.round(segment / 1000)),
      },
      segmenter: { ...segmenterDefaults, partTarget: part * 1000, segmentTarget: segment * 1000, segmentBytesMax: bytesMax / 4 },
      waitersMax: waiting,
      offlineKeep: offline * 1000,
      compress: gzip,
    });
  }
}

const HANDSHAKE_RANDOM_BYTES = 1528;
