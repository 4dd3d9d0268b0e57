/**
 * WHIP into the live origin: what a browser or OBS publishes by WebRTC goes the way of every other encoder's stream.
 *
 *   POST /whip, Bearer <stream key> ─▶ Origin.admit ─▶ Peer ─▶ Ingest ─ tracks, units ─▶ WhipEncodings ─▶ Channel
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { Hono } from "hono";
import { type Millis, NEVER } from "../base/units.ts";
import type { Log } from "../host/log.ts";
import type { Loop } from "../host/loop.ts";
import type { ClientAddress } from "../host/trusted-proxies.ts";
import type { Channel } from "../live/channel.ts";
import { viewerOf } from "../live/delivery.ts";
import type { Origin } from "../live/origin.ts";
import type { Publisher, Refusal } from "../live/publisher.ts";
import type { Track, Unit } from "../media/unit.ts";
import { Ingest, type UnitSink } from "../webrtc/ingest.ts";
import type { Peer } from "../webrtc/peer.ts";
import type { Peers } from "../webrtc/peers.ts";
import { type Admitted, type Refused, signalling } from "../webrtc/signalling.ts";
import { WhipEncodings } from "./whip-encodings.ts";

export interface WhipOptions {
  readonly origin: Origin;
  readonly peers: Peers;
  readonly loop: Loop;
  readonly log: Log;
  /** How often browsers are asked for a key frame: the duration of a segment. */
  readonly keyFrameInterval: Millis;
  /** Most encodings of a picture (simulcast) that are taken; 1: one alone. */
  readonly encodingsMax: number;
  /** Where an offer comes from; default: the socket's other end. */
  readonly client?: ClientAddress;
}

/** Offers at /whip; the bearer token is the stream key. */
export function whip(options: WhipOptions): Hono {
  const publishers = new Set<WhipPublisher>();
  options.loop.drive({
    advance(now) {
      let deadline = NEVER;
      for (const publisher of publishers) deadline = Math.min(deadline, publisher.advance(now));
      return deadline;
    },
  });
  return signalling({
    peers: options.peers,
    path: "/whip",
    token: true,
    admit: (_name, token, context) => WhipPublisher.admit(options, publishers, token, viewerOf(context, options.client).address),
    secret: randomUUID,
    seed: () => randomBytes(4).readUInt32LE(),
  });
}

/** Media goes by DTLS and SRTP. */
const protocol = { secure: true, protocol: "whip" } as const;

class WhipPublisher implements Admitted {
  readonly options: Admitted["options"];
  heard: Millis;
  readonly #given: WhipOptions;
  readonly #publishers: Set<WhipPublisher>;
  readonly #place: Publisher;
  readonly #channel: Channel;
  readonly #ingest: Ingest;
  #peer: Peer | undefined;
  #encodings: WhipEncodings | undefined;
  #on = true;

  static admit(options: WhipOptions, publishers: Set<WhipPublisher>, key: string, address: string): WhipPublisher | Refused {
    const { origin } = options;
    const now = origin.now();
    let made: WhipPublisher | undefined;
    // The origin remembers who publishes, so the publisher must be there before its channel is known.
    const place: Publisher = {
      ...protocol,
      address,
      get heard() {
        return made?.heard ?? now;
      },
      refuse: (at, refusal) => made?.refuse(at, refusal),
    };
    const admitted = origin.admit(place, key, now);
    if ("reason" in admitted) {
      origin.refused(admitted.reason);
      options.log.warn({ reason: admitted.reason, protocol: "whip" }, `encoder refused: ${admitted.description}`);
      return { status: admitted.reason === "busy" ? 409 : 403, reason: admitted.description };
    }
    made = new WhipPublisher(options, publishers, admitted, place, now);
    return made;
  }

  private constructor(given: WhipOptions, publishers: Set<WhipPublisher>, channel: Channel, place: Publisher, now: Millis) {
    this.#given = given;
    this.#publishers = publishers;
    this.#channel = channel;
    this.#place = place;
    this.heard = now;
    const wallClock = (): Millis => given.origin.wallClock();
    const sink: UnitSink = {
      tracks: (tracks, rid) => this.#tracks(tracks, rid),
      unit: (unit, rid) => this.#unit(unit, rid),
    };
    this.#ingest = new Ingest(sink, { keyFrameInterval: given.keyFrameInterval * 1000, wallClock });
    this.options = { policy: { encodings: { video: ["H264"], audio: ["opus"] }, encodingsMax: given.encodingsMax }, sink: this.#ingest };
  }

  opened(peer: Peer): void {
    this.#peer = peer;
    const { origin, log } = this.#given;
    const rids = peer.sections.find(({ kind }) => kind === "video")?.simulcast?.rids ?? [];
    const [now, wallClock] = [(): Millis => origin.now(), (): Millis => origin.wallClock()];
    this.#encodings = new WhipEncodings(rids, { channel: this.#channel, ingest: this.#ingest, now, wallClock });
    this.#encodings.start();
    this.#publishers.add(this);
    log.info({ channel: this.#channel.name, protocol: "whip", encodings: Math.max(1, rids.length) }, "encoder publishes");
  }

  #tracks(tracks: readonly Track[], rid: string): void {
    if (this.#on) this.#encodings?.tracks(tracks, rid);
  }

  #unit(unit: Unit, rid: string): void {
    if (!this.#on) return;
    this.heard = this.#given.origin.now();
    this.#encodings?.unit(unit, rid);
  }

  advance(now: Millis): Millis {
    return this.#ingest.advance(Math.round(now * 1000)) / 1000;
  }

  refuse(_now: Millis, { description }: Refusal): void {
    this.#peer?.close();
    this.ended(description);
  }

  ended(reason: string): void {
    if (!this.#on) return;
    this.#on = false;
    this.#publishers.delete(this);
    const { origin, log } = this.#given;
    this.#encodings?.end();
    origin.released(this.#place, this.#channel);
    log.info({ channel: this.#channel.name, protocol: "whip", reason }, "encoder left");
  }
}
