/**
 * The live origin: encoders publish by RTMP, viewers fetch LL-HLS.
 *
 *   encoder ─ RTMP ─▶ RtmpSession ─ Units ─▶ Channel ─ Segmenter ─▶ Window ─▶ delivery ─ HTTP ─▶ viewers
 *
 * One process, one thread: sockets of encoders by the loop, viewers by an HTTP application (`delivery`) that whoever composes the program serves.
 * A channel has one encoder at a time. A second one with the same key is refused while the first is heard, unless it has a higher priority (priority.ts); when
 * the first has been silent for a few seconds, which on a bad link means that it is reconnecting, the second takes over.
 *
 * Channels come from the configuration, or are opened, given other keys and closed while the origin runs.
 */
import { Prng } from "../base/prng.ts";
import { type Millis, NEVER } from "../base/units.ts";
import { gzip } from "../host/http.ts";
import type { Log } from "../host/log.ts";
import type { Accept, Driver, Endpoint, Listener, Loop, TcpHandler, TcpSocket } from "../host/loop.ts";
import { segmenterDefaults } from "../media/hls/segmenter.ts";
import { statusCode } from "../media/rtmp/command.ts";
import type { RtmpServerOptions } from "../media/rtmp/server.ts";
import { Channel } from "./channel.ts";
import type { LiveConfig } from "./config.ts";
import type { Source } from "./delivery.ts";
import { KeyGuard } from "./key-guard.ts";
import { type Claim, PRIORITY_MAX, parseClaim } from "./priority.ts";
import type { MultitrackRules, Publisher, Refusal } from "./publisher.ts";
import { type Host, RtmpSession } from "./rtmp-session.ts";
import type { SrtFront } from "./srt-front.ts";
import { StreamKeys } from "./stream-key.ts";

/** What somebody may set for one channel; the rest is the origin's. */
export interface ChannelSettings {
  /** Milliseconds; default: option `part`. */
  readonly part?: Millis;
  /** Segments in the playlist; default: option `window`. */
  readonly window?: number;
}

/** Decides, beyond the key, whether an encoder may publish to a channel now. */
export type Gate = (channel: string, publisher: Publisher) => Refusal | undefined;

/** What a channel takes of multitrack video, beside the number of its pictures. */
export type MultitrackPolicy = (channel: string) => Pick<MultitrackRules, "policy" | "pixelsMax">;

/** Told of encoders that want a channel which another one has. */
export interface Contest {
  /** `channel` goes to another encoder: the stream of the one that fell silent ends, and a new one begins. */
  takenOver(channel: string): void;
  /** Another encoder with the channel's key was refused, since the one that publishes is heard; `byPriority`: and its priority is not higher. */
  refused(channel: string, byPriority: boolean): void;
}

export class Origin implements Source, Driver, Host {
  readonly log: Log;
  readonly buffer = new Uint8Array(65_536);
  readonly #channels = new Map<string, Channel>();
  readonly #config: LiveConfig;
  readonly #loop: Loop;
  readonly #wallClock: () => number;
  readonly #keys: StreamKeys;
  readonly #rtmp: RtmpServerOptions;
  readonly #sessions = new Set<RtmpSession>();
  readonly #publishers = new Map<Channel, Publisher>();
  /** Of who publishes (priority.ts). */
  readonly #priorities = new WeakMap<Publisher, number>();
  readonly #listeners: Listener[] = [];
  readonly #guard = new KeyGuard();
  #srt: SrtFront | undefined;
  #gate: Gate = () => undefined;
  #multitrack: MultitrackPolicy = () => EVERYTHING;
  #contest: Contest = { takenOver: () => {}, refused: () => {} };
  #accepted = 0;
  /** Nothing of ours is due before; 0 when that is not known. */
  #due: Millis = 0;
  readonly #refused: Record<string, number> = {};

  /** `wallClock` in Unix ms. */
  constructor(config: LiveConfig, loop: Loop, log: Log, wallClock: () => number = Date.now) {
    this.#config = config;
    this.#loop = loop;
    this.log = log;
    this.#wallClock = wallClock;
    this.#keys = new StreamKeys({});
    const limits = { setupMillis: config.publishwait * 1000, idleMillis: config.idle * 1000 };
    this.#rtmp = { random: new Prng(wallClock()).fill(new Uint8Array(HANDSHAKE_RANDOM_BYTES)), limits };
    for (const [name, key] of Object.entries(config.channels)) this.open(name, key);
    loop.drive(this);
  }

  /** Where encoders publish. @throws HostError when the address cannot be bound */
  listen(at: Endpoint): Listener {
    const listener = this.#loop.listen(at, (socket, now) => this.#accept(socket, now, "rtmp"));
    this.#listeners.push(listener);
    return listener;
  }

  /** The same on somebody else's listener, which is given what to do with a connection; "rtmps" where it is inside TLS. */
  listenWith(protocol: "rtmp" | "rtmps", listen: (accept: Accept) => Listener): Listener {
    const listener = listen((socket, now) => {
      const session = this.#accept(socket, now, protocol);
      // That listener may be another loop's than ours.
      this.#loop.wake();
      return session;
    });
    this.#listeners.push(listener);
    return listener;
  }

  get channels(): ReadonlyMap<string, Channel> {
    return this.#channels;
  }

  /** Whoever decides about encoders beside their key, from now on. */
  guard(gate: Gate): void {
    this.#gate = gate;
  }

  /** Whoever decides which channels take multitrack video, from now on; before that all do. */
  allowMultitrack(policy: MultitrackPolicy): void {
    this.#multitrack = policy;
  }

  multitrack({ name }: Channel): MultitrackRules {
    return { ...this.#multitrack(name), tracksMax: this.#config.tracks };
  }

  /** Whoever is told of takeovers, from now on. */
  contested(contest: Contest): void {
    this.#contest = contest;
  }

  /** A channel from now on, or another key for one that is; without a key nobody may publish to it. Who publishes already goes on. */
  open(name: string, key: string | undefined, settings: ChannelSettings = {}): Channel {
    const channel = this.#channels.get(name) ?? this.#channel(name, settings);
    this.#channels.set(name, channel);
    this.#keys.set(name, key);
    return channel;
  }

  /** Ends a channel: its encoder is turned away, its media goes. */
  drop(name: string): void {
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    this.turnAway(name, { code: statusCode.failed, reason: "dropped", description: `channel ${name} is no more` });
    this.#keys.set(name, undefined);
    this.#channels.delete(name);
    channel.window.clear();
    channel.waiters.notify();
  }

  /** Ends what is being published to a channel; its encoder may come again. */
  turnAway(name: string, refusal: Refusal): void {
    const channel = this.#channels.get(name);
    if (channel !== undefined) this.#publishers.get(channel)?.refuse(this.now(), refusal);
  }

  /** Who publishes to a channel now. */
  publisher(name: string): Publisher | undefined {
    const channel = this.#channels.get(name);
    return channel === undefined ? undefined : this.#publishers.get(channel);
  }

  /** Ends every connection of encoders, in order, and accepts no more. */
  close(): void {
    for (const listener of this.#listeners) listener.close();
    const now = this.now();
    for (const session of this.#sessions) session.stop(now);
    this.#srt?.close();
  }

  /** Encoders may come by SRT, too. */
  set srt(front: SrtFront | undefined) {
    this.#srt = front;
  }

  get ingest(): Source["ingest"] {
    const local = this.#listeners[0]?.local;
    const port = local !== undefined && "port" in local ? local.port : 0;
    const front = this.#srt;
    const srt = front && { port: front.port, connections: front.sessions, counters: front.counters };
    return { port, connections: this.#sessions.size, accepted: this.#accepted, refused: this.#refused, ...(srt && { srt }) };
  }

  now(): Millis {
    return this.#loop.now();
  }

  wallClock(): number {
    return this.#wallClock();
  }

  wake(): void {
    this.#due = 0;
    this.#loop.wake();
  }

  /** Looks at all sessions and channels when one of them is due, or may have become due earlier; not in every round of the loop. */
  advance(now: Millis): Millis {
    if (now < this.#due) return this.#due;
    let deadline = NEVER;
    for (const session of this.#sessions) deadline = Math.min(deadline, session.advance(now));
    for (const channel of this.#channels.values()) deadline = Math.min(deadline, channel.advance(now));
    this.#due = deadline;
    return deadline;
  }

  /** Decides about a key, with what may stand behind it. A channel is then the publisher's, who starts and ends it, until `released`. */
  admit(session: Publisher, key: string, now: Millis): Channel | Refusal {
    const channel = this.examine(session, key, now);
    if ("reason" in channel) return channel;
    const silent = this.#publishers.get(channel);
    if (silent !== undefined) {
      this.#contest.takenOver(channel.name);
      silent.refuse(now, { code: statusCode.failed, reason: "takeover", description: "another encoder took the channel over" });
    }
    this.#publishers.set(channel, session);
    this.#priorities.set(session, Math.max(0, parseClaim(key).priority));
    return channel;
  }

  /** The channel that `admit` would give now, which stays whose it is. */
  examine(session: Publisher, text: string, now: Millis): Channel | Refusal {
    const claim = parseClaim(text);
    const channel = this.channelOf(claim.key, session.address, now);
    if ("reason" in channel) return channel;
    const refusal = this.#gate(channel.name, session);
    if (refusal !== undefined) return refusal;
    const publisher = this.#publishers.get(channel);
    const silent = publisher === undefined || now - publisher.heard >= this.#config.takeover * 1000;
    return silent ? channel : this.#contend(channel, publisher, claim);
  }

  /** Whose stream key this is, for somebody at `address`; wrong ones are counted. */
  channelOf(key: string, address: string, now: Millis): Channel | Refusal {
    if (!this.#guard.allows(address, now))
      return {
        code: statusCode.publishDenied,
        reason: "tries",
        description: "too many wrong stream keys from this address; try again in a minute",
      };
    const name = this.#keys.channel(key);
    const channel = name === undefined ? undefined : this.#channels.get(name);
    if (channel === undefined) {
      if (this.#guard.wrong(address, now))
        this.log.warn({ peer: address }, "stream keys are being guessed: this address is not heard for a minute");
      return { code: statusCode.publishDenied, reason: "key", description: "no channel has this stream key" };
    }
    return channel;
  }

  /** Somebody publishes to the channel already. */
  #contend(channel: Channel, publisher: Publisher, { priority }: Claim): Channel | Refusal {
    const held = this.#priorities.get(publisher) ?? 0;
    if (priority > held) return channel;
    this.#contest.refused(channel.name, priority !== 0);
    const more = priority === 0 ? "" : `; priority must be more than ${held} and at most ${PRIORITY_MAX}`;
    const description = `channel ${channel.name} is being published to already${more}`;
    return { code: statusCode.badName, reason: priority === 0 ? "busy" : "priority", description };
  }

  released(session: Publisher, channel: Channel): void {
    this.#due = 0;
    if (this.#publishers.get(channel) === session) this.#publishers.delete(channel);
  }

  refused(reason: string): void {
    this.#due = 0;
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
  }

  closed(session: RtmpSession): void {
    this.#sessions.delete(session);
  }

  #accept(socket: TcpSocket, now: Millis, protocol: "rtmp" | "rtmps"): TcpHandler | undefined {
    if (this.#sessions.size >= this.#config.connections) {
      this.refused("connections");
      this.log.warn({ peer: socket.remote, connections: this.#sessions.size }, "encoder refused: too many connections");
      return undefined;
    }
    this.#accepted++;
    this.#due = 0;
    const session = new RtmpSession(this, socket, this.#rtmp, now, protocol);
    this.#sessions.add(session);
    return session;
  }

  #channel(name: string, settings: ChannelSettings): Channel {
    const { segment, kept, memory, waiting, offline } = this.#config;
    const { part = this.#config.part, window = this.#config.window } = settings;
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
const EVERYTHING = { policy: "allowed", pixelsMax: Number.POSITIVE_INFINITY } as const;
