/**
 * WHEP out of the live origin: a browser watches a channel by WebRTC, with less delay than LL-HLS can have.
 *
 *   POST /whep/<channel> ─▶ Peer ◀─ Playout ◀─ tracks, units ─ Channel, and its renditions where there are any
 *
 * Of audio only Opus goes this way, as browsers decode no AAC from RTP: viewers of an RTMP encoder see and do not hear.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { Hono } from "hono";
import type { Millis } from "../base/units.ts";
import type { Log } from "../host/log.ts";
import type { ClientAddress } from "../host/trusted-proxies.ts";
import type { Channel, ChannelListener } from "../live/channel.ts";
import { viewerOf } from "../live/delivery.ts";
import type { Origin } from "../live/origin.ts";
import { openGate, type PlaybackGate } from "../live/playback-gate.ts";
import { videoTrack } from "../media/unit.ts";
import type { Peer } from "../webrtc/peer.ts";
import type { Peers } from "../webrtc/peers.ts";
import { type Encoding, Playout } from "../webrtc/playout.ts";
import { type Admitted, signalling } from "../webrtc/signalling.ts";

/** Room above the encoder's mean, so that the first key frame is soon there. */
const START_SHARE = 1.5;
const START_MIN = 300_000;
/** Often enough to be counted as a viewer, and to be gone soon after a revocation. */
const CHECK_EVERY: Millis = 5000;

export interface WhepOptions {
  readonly origin: Origin;
  readonly peers: Peers;
  readonly log: Log;
  readonly gate?: PlaybackGate | undefined;
  /** Where an offer comes from; default: the socket's other end. */
  readonly client?: ClientAddress;
  /** How often it is asked whether a viewer may still watch. */
  readonly checkEvery?: Millis;
}

export function whep({ origin, peers, log, gate = openGate, client, checkEvery = CHECK_EVERY }: WhepOptions): Hono {
  return signalling({
    peers,
    path: "/whep",
    token: false,
    admit: async (name, _token, context) => {
      const channel = origin.channels.get(name);
      if (channel === undefined) return { status: 404, reason: "no such channel" };
      if (!channel.live) return { status: 404, reason: "the channel is off the air" };
      const viewer = viewerOf(context, client);
      const admission = await gate.begin(channel, viewer);
      if ("reason" in admission) return admission;
      // Larger pictures are not among its encodings, so there is nothing to ask about them.
      const allowed = (): string | undefined => gate.check(channel, admission.session, viewer, 0)?.reason;
      const view = new View(origin, channel, admission.pixels ?? Number.POSITIVE_INFINITY, log, allowed, checkEvery);
      if (channel.tracks.length === 0 || view.encodings().length > 0) return view;
      return view.decodable
        ? { status: 403, reason: "the token is for smaller pictures than there are" }
        : { status: 406, reason: "the stream has no H.264, which is what goes by WebRTC here; play it by HLS" };
    },
    secret: randomUUID,
    seed: () => randomBytes(4).readUInt32LE(),
  });
}

/** One viewer, and the encodings that it may get: those of the encoder and of a transcoder, the largest picture first. */
class View implements Admitted {
  readonly options: Admitted["options"];
  readonly #origin: Origin;
  readonly #channel: Channel;
  readonly #pixelsMax: number;
  readonly #log: Log;
  readonly #playout = new Playout(() => this.encodings());
  readonly #offered = new Map<Channel, Offered>();
  /** Why it may not watch any more; undefined: it may. */
  readonly #refusal: () => string | undefined;
  readonly #checkEvery: Millis;
  #checking: NodeJS.Timeout | undefined;
  #watching = false;

  constructor(origin: Origin, channel: Channel, pixelsMax: number, log: Log, refusal: () => string | undefined, checkEvery: Millis) {
    this.#refusal = refusal;
    this.#checkEvery = checkEvery;
    this.#origin = origin;
    this.#channel = channel;
    this.#pixelsMax = pixelsMax;
    this.#log = log;
    this.options = {
      policy: { encodings: { video: ["H264"], audio: ["opus"] } },
      source: (section) => this.#playout.source(section),
      sender: { startBitrate: Math.max(START_MIN, START_SHARE * channel.bitsPerSecond(origin.now())) },
    };
  }

  /** Whether there is a picture that browsers take, be it too large for this viewer. */
  get decodable(): boolean {
    return this.#decodable().length > 0;
  }

  encodings(): Encoding[] {
    return this.#decodable()
      .filter(({ pixels }) => pixels <= this.#pixelsMax)
      .sort((a, b) => b.pixels - a.pixels)
      .map((channel) => this.#offer(channel));
  }

  opened(peer: Peer, end: (reason: string) => void): void {
    this.#watching = true;
    const check = (): void => {
      const reason = this.#refusal();
      if (reason !== undefined) end(reason);
    };
    // By LL-HLS every request is asked about; here nothing is asked for any more.
    check();
    if (this.#watching) this.#checking = setInterval(check, this.#checkEvery);
    else return;
    this.#playout.start(peer);
    const pictures = [...this.#channel.renditions.values()].filter(({ tracks }) => tracks.length === 0 || videoTrack(tracks) !== undefined);
    for (const channel of [this.#channel, ...pictures]) this.#offer(channel);
    this.#log.info({ channel: this.#channel.name, protocol: "whep" }, "viewer watches");
  }

  ended(reason: string): void {
    this.#watching = false;
    clearInterval(this.#checking);
    for (const offered of this.#offered.values()) offered.channel.listeners.delete(offered.listener);
    this.#offered.clear();
    const { changes } = this.#playout.stats;
    this.#log.info({ channel: this.#channel.name, protocol: "whep", reason, changes }, "viewer left");
  }

  #decodable(): Channel[] {
    const all = [this.#channel, ...this.#channel.renditions.values()];
    return all.filter(({ live, tracks }) => live && tracks.some(({ codec }) => codec.startsWith("avc1.")));
  }

  #offer(channel: Channel): Encoding {
    const known = this.#offered.get(channel);
    if (known !== undefined) return known.encoding;
    const encoding: Encoding = {
      get tracks() {
        return channel.tracks;
      },
      rate: () => channel.bitsPerSecond(this.#origin.now()),
      requestKeyFrame: () => channel.requestKeyFrame(),
    };
    const listener: ChannelListener = {
      tracks: () => this.#playout.tracks(encoding),
      unit: (unit) => this.#playout.unit(encoding, unit),
      ended: () => {
        // A rendition that left its place to another does not come again.
        const { name, renditions } = this.#channel;
        if (channel.name === name || [...renditions.values()].includes(channel)) return;
        channel.listeners.delete(listener);
        this.#offered.delete(channel);
      },
    };
    if (!this.#watching) return encoding;
    channel.listeners.add(listener);
    this.#offered.set(channel, { channel, encoding, listener });
    return encoding;
  }
}

interface Offered {
  readonly channel: Channel;
  readonly encoding: Encoding;
  readonly listener: ChannelListener;
}
