/**
 * One encoder's connection: TCP of the loop ↔ RTMP core ↔ the channel it publishes to.
 *
 *   socket ─ read ─▶ RtmpServer ─ media ─▶ FlvToUnit ─ tracks, units ─▶ Channel
 *   socket ◀ write ─ RtmpServer ◀ accept, refuse
 *
 *   open ── refused, failed ──▶ lingering ── the peer ends, or a moment later ──▶ closed
 *
 * A refused encoder often still has data under way; closing on them at once would answer with RST and destroy the reason before it is read. So the
 * session ends its own side, reads the rest into nothing and then closes.
 */

import { type Millis, NEVER } from "../base/units.ts";
import type { Log } from "../host/log.ts";
import type { TcpHandler, TcpSocket } from "../host/loop.ts";
import { SCRIPT } from "../media/flv/tag.ts";
import { FlvToUnit } from "../media/flv/to-unit.ts";
import type { RtmpEvent } from "../media/rtmp/event.ts";
import { parseMetadata } from "../media/rtmp/metadata.ts";
import { RtmpServer, type RtmpServerOptions } from "../media/rtmp/server.ts";
import type { Channel } from "./channel.ts";
import type { MultitrackRules, Publisher, Refusal } from "./publisher.ts";
import { UnitFeed } from "./unit-feed.ts";

/** What a session needs of the origin. */
export interface Host {
  readonly log: Log;
  /** Borrowed by each session for one call. */
  readonly buffer: Uint8Array;
  wallClock(): number;
  /** Decides about a key, with what may stand behind it (priority.ts); a channel is then this session's until it calls `released`. */
  admit(publisher: Publisher, key: string, now: Millis): Channel | Refusal;
  multitrack(channel: Channel): MultitrackRules;
  released(publisher: Publisher, channel: Channel): void;
  refused(reason: string): void;
  closed(session: RtmpSession): void;
}

export class RtmpSession implements TcpHandler, Publisher {
  readonly #host: Host;
  readonly #socket: TcpSocket;
  readonly #server: RtmpServer;
  readonly #log: Log;
  #unsent: Uint8Array | undefined;
  /** Nothing may be written any more. */
  #saidAll = false;
  #channel: Channel | undefined;
  #flv = new FlvToUnit();
  #feed: UnitFeed | undefined;
  #state: "open" | "lingering" | "closed" = "open";
  #lingerUntil: Millis = NEVER;
  readonly protocol: "rtmp" | "rtmps";
  /** When the last byte came. */
  heard: Millis;

  constructor(host: Host, socket: TcpSocket, options: RtmpServerOptions, now: Millis, protocol: "rtmp" | "rtmps" = "rtmp") {
    this.#host = host;
    this.#socket = socket;
    this.#server = new RtmpServer(options);
    this.#server.advance(now);
    this.#log = host.log.child({ peer: socket.remote });
    this.heard = now;
    this.protocol = protocol;
  }

  get secure(): boolean {
    return this.protocol === "rtmps";
  }

  get address(): string {
    return this.#socket.remote.replace(/:\d+$/, "");
  }

  connected(): void {}

  readable(now: Millis): void {
    const { buffer } = this.#host;
    const wall = this.#host.wallClock();
    while (this.#state !== "closed") {
      const n = this.#socket.read(buffer, 0, buffer.length);
      if (n === 0) return;
      if (n < 0) this.#ended(now);
      if (this.#state !== "open") continue;
      this.heard = now;
      this.#server.receive(now, buffer, 0, n);
      this.#takeEvents(now, wall);
      this.#send();
    }
  }

  writable(): void {
    this.#send();
  }

  closed(now: Millis, code: string): void {
    if (this.#state === "open" && this.#channel !== undefined)
      this.#log.warn({ channel: this.#channel.name, code }, "encoder's connection broke");
    this.#close(now, false);
  }

  advance(now: Millis): Millis {
    if (this.#state === "closed") return NEVER;
    if (this.#state === "lingering") {
      if (now >= this.#lingerUntil) this.#close(now, true);
      return this.#lingerUntil;
    }
    this.#server.advance(now);
    this.#takeEvents(now, this.#host.wallClock());
    this.#send();
    return this.#state === "open" ? this.#server.deadline() : this.#lingerUntil;
  }

  /** Turns the publisher away; harmless when it went already. */
  refuse(now: Millis, { code, reason, description }: Refusal): void {
    if (this.#state !== "open") return;
    const facts = this.#channel === undefined ? { reason } : { reason, channel: this.#channel.name };
    this.#log.warn(facts, `encoder refused: ${description}`);
    this.#host.refused(reason);
    this.#server.refuse(now, code, description);
    this.#linger(now, reason);
  }

  /** Ends the connection without a word, at the stop of the program. */
  stop(now: Millis): void {
    this.#close(now, true);
  }

  #takeEvents(now: Millis, wall: number): void {
    while (this.#state === "open") {
      const event = this.#server.event();
      if (event === undefined) return;
      this.#take(event, now, wall);
    }
  }

  #take(event: RtmpEvent, now: Millis, wall: number): void {
    switch (event.kind) {
      case "publish":
        this.#publish(event.key, now, wall);
        break;
      case "media":
        this.#flv.receive(event.message.type, event.message.timestamp, event.message.payload, wall);
        this.#feed?.take(now, this.#flv);
        if (event.message.type === SCRIPT && this.#channel !== undefined)
          this.#channel.told = parseMetadata(event.message.payload) ?? this.#channel.told;
        break;
      case "unpublish":
        this.#release(now, "encoder ended its stream");
        break;
      case "failed":
        this.#log.warn({ code: event.error.code, ...this.#channelFact() }, `encoder's connection failed: ${event.error.message}`);
        this.#host.refused(event.error.code);
        this.#linger(now, event.error.code);
    }
  }

  #publish(key: string, now: Millis, wall: number): void {
    const admitted = this.#host.admit(this, key, now);
    if ("reason" in admitted) {
      this.refuse(now, admitted);
      return;
    }
    if (!this.#server.accept(now)) {
      this.#host.released(this, admitted);
      return;
    }
    this.#channel = admitted;
    const { policy, tracksMax } = this.#host.multitrack(admitted);
    this.#flv = new FlvToUnit({ picturesMax: policy === "none" ? 1 : tracksMax });
    this.#feed = new UnitFeed(admitted, this.#log, (at, refusal) => this.refuse(at, refusal), policy === "required" ? 2 : 1);
    admitted.start(wall);
    this.#log.info({ channel: admitted.name }, "encoder publishes");
  }

  /** `reason`: why the stream was ended from here. */
  #release(now: Millis, text: string, reason = ""): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    const feed = this.#feed;
    this.#channel = undefined;
    this.#feed = undefined;
    channel.end(now, reason);
    feed?.end(now);
    this.#host.released(this, channel);
    this.#log.info({ channel: channel.name }, text);
  }

  /** The peer ended its side. */
  #ended(now: Millis): void {
    if (this.#state === "open") this.#release(now, "encoder left");
    this.#close(now, true);
  }

  #linger(now: Millis, reason: string): void {
    this.#release(now, "channel is off the air", reason);
    this.#state = "lingering";
    this.#lingerUntil = now + LINGER;
    this.#send();
  }

  #close(now: Millis, socket: boolean): void {
    if (this.#state === "closed") return;
    this.#release(now, "channel is off the air");
    this.#state = "closed";
    this.#unsent = undefined;
    if (socket) this.#socket.close();
    this.#host.closed(this);
  }

  /** Answers are short and rare: what the socket does not take at once is copied and sent when it takes again. Lingering, our side ends behind the last one. */
  #send(): void {
    const { buffer } = this.#host;
    while (this.#state !== "closed" && !this.#saidAll) {
      if (this.#unsent !== undefined) {
        const sent = this.#socket.write(this.#unsent, 0, this.#unsent.length);
        if (sent < this.#unsent.length) {
          this.#unsent = this.#unsent.subarray(sent);
          return;
        }
        this.#unsent = undefined;
      }
      const n = this.#server.transmit(buffer, 0, buffer.length);
      if (n === 0) {
        if (this.#state !== "lingering") return;
        this.#saidAll = true;
        this.#socket.shutdown();
        return;
      }
      const sent = this.#socket.write(buffer, 0, n);
      if (sent < n) this.#unsent = buffer.slice(sent, n);
    }
  }

  #channelFact(): { channel?: string } {
    return this.#channel === undefined ? {} : { channel: this.#channel.name };
  }
}

/** Long enough for a reason to cross the longest link and be read. */
const LINGER: Millis = 2000;
