/**
 * Sends Tracks and Units to a viewer: H.264, and Opus where the stream has it.
 *
 *   encodings of the stream ─ Unit ─▶ the one that the path carries ─▶ H264Packetizer ─▶ Sender          parameter sets go before each key frame
 *                                         ▲ EncodingChoice
 *
 * Encodings are made for all viewers and none is asked for less: who has too slow a path for the smallest misses pictures up to a key frame. A change of encoding comes
 * into force with a key frame of the new one; until then the old one goes on. Key frames are asked for: at the beginning, for a change, by the viewer's PLI, and when
 * the path has room again.
 *
 * An encoding may lie behind another (a transcoder takes its time): stamps are moved, picture and sound alike, so that they rise.
 *
 * Source: RFC 6184, RFC 7587 section 4.
 */
import type { BitsPerSecond, Micros } from "../base/units.ts";
import { parameterSets } from "../media/h264/decoder-configuration.ts";
import { H264Packetizer } from "../media/rtp/h264-payload.ts";
import type { Negotiated } from "../media/sdp/negotiation.ts";
import { type Track, type Unit, videoTrack } from "../media/unit.ts";
import { EncodingChoice } from "./encoding-choice.ts";
import { type Encoder, type OutboundStream, PAYLOAD_MAX } from "./outbound-stream.ts";
import type { OutboundSource, Peer } from "./peer.ts";

/** Tuning: what waits longer than this in the pacer is not worth sending. */
const QUEUE_TIME_MAX: Micros = 700_000;
/** Tuning: what waits so long time and again is more than the path carries. */
const QUEUE_TIME_LONG: Micros = 250_000;
const CHOICE_INTERVAL: Micros = 100_000;
const KEY_FRAME_INTERVAL: Micros = 1_000_000;
/** Between the last picture of one encoding and the first of the next, where they would overlap. */
const GAP: Micros = 10_000;
const RATE_MIN: BitsPerSecond = 100_000;
const RATE_MAX: BitsPerSecond = 20_000_000;
const AUDIO_RATE: BitsPerSecond = 64_000;

/** One encoding of the stream, of those that there are now. */
export interface Encoding {
  readonly tracks: readonly Track[];
  /** What it takes, measured; 0 = not known yet. */
  rate(): BitsPerSecond;
  /** Asks whoever encodes, if it can be asked; it limits how often. */
  requestKeyFrame(): void;
}

export class Playout {
  readonly stats = {
    units: 0,
    /** Pictures not sent, because the path is too slow or a key frame is waited for. */ skipped: 0,
    changes: 0,
  };
  readonly choice = new EncodingChoice();
  readonly #packetizer = new H264Packetizer();
  readonly #payload = new Uint8Array(PAYLOAD_MAX);
  readonly #offered: () => readonly Encoding[];
  #peer: Peer | undefined;
  #video: OutboundStream | undefined;
  #audio: OutboundStream | undefined;
  #present: Encoding | undefined;
  /** Whose next key frame makes it the present one. */
  #next: Encoding | undefined;
  /** Whose sound goes with it. */
  #sound: Encoding | undefined;
  #allowed: BitsPerSecond = 0;
  #choseAt: Micros = Number.NEGATIVE_INFINITY;
  #askedNextAt: Micros = Number.NEGATIVE_INFINITY;
  #sets: readonly Uint8Array[] = [];
  #waiting = true;
  /** A picture that stands alone was asked for since we wait; not before the path is up, as it would be gone then. */
  #asked = false;
  #shift: Micros = 0;
  #lastPicture: Micros = Number.NEGATIVE_INFINITY;
  #lastSound: Micros = Number.NEGATIVE_INFINITY;

  /** `offered`: the encodings there are, the best first; asked again and again. */
  constructor(offered: () => readonly Encoding[]) {
    this.#offered = offered;
  }

  /** The one that is sent. */
  get present(): Encoding | undefined {
    return this.#present;
  }

  /** What can be sent in a section: everything but audio that browsers cannot decode from RTP. */
  source(section: Negotiated): OutboundSource | undefined {
    if (section.kind === "video") {
      const encoder: Encoder = {
        onBitrate: (media) => {
          this.#allowed = media;
        },
        onKeyFrameRequest: () => (this.#next ?? this.#present)?.requestKeyFrame(),
      };
      return { encoder, min: RATE_MIN, max: RATE_MAX };
    }
    return this.#offered().some(hasOpus) ? { encoder: indifferent, min: AUDIO_RATE, max: AUDIO_RATE } : undefined;
  }

  /** Begins with the best. */
  start(peer: Peer): void {
    this.#peer = peer;
    this.#video = peer.outbound.find(({ audio }) => !audio);
    this.#audio = peer.outbound.find(({ audio }) => audio);
    const best = this.#offered()[0];
    if (best !== undefined) this.#show(best);
  }

  /** An encoding begins, or changes its tracks. */
  tracks(of: Encoding): void {
    if (of === this.#present || (this.#present === undefined && this.#offered().includes(of))) this.#show(of);
  }

  unit(of: Encoding, unit: Unit): void {
    const peer = this.#peer;
    const sender = peer?.session.sender;
    if (peer === undefined || sender === undefined || !peer.up) return;
    const now = peer.now();
    if (unit.kind === "video") this.#choose(now, sender.pacer.expectedQueueTime);
    if (of === this.#next && unit.kind === "video" && unit.keyframe) this.#change(of, unit);
    if (unit.kind === "audio") {
      if (of !== this.#sound || !this.#sendSound(now, unit, sender)) return;
    } else if (of === this.#present) this.#sendPicture(now, unit, sender);
    else return;
    this.stats.units++;
    peer.wake();
  }

  #choose(now: Micros, queueTime: Micros): void {
    if (now - this.#choseAt < CHOICE_INTERVAL) return;
    this.#choseAt = now;
    const offered = this.#offered();
    const at = this.#present === undefined ? -1 : offered.indexOf(this.#present);
    if (at < 0) this.#present = undefined;
    const rates = offered.map((each) => each.rate());
    // The smallest in place of one that has ended: better ones follow when there is room.
    const chosen = this.choice.choose(now, rates, at < 0 ? offered.length - 1 : at, this.#allowed, queueTime > QUEUE_TIME_LONG);
    const next = chosen === at ? undefined : offered[chosen];
    if (next !== this.#next) this.#askedNextAt = Number.NEGATIVE_INFINITY;
    this.#next = next;
    if (next === undefined || now - this.#askedNextAt < KEY_FRAME_INTERVAL) return;
    this.#askedNextAt = now;
    next.requestKeyFrame();
  }

  #change(to: Encoding, first: Unit): void {
    this.#next = undefined;
    this.stats.changes++;
    this.#show(to);
    this.#shift = Math.max(0, this.#lastPicture + GAP - first.pts);
  }

  #show(encoding: Encoding): void {
    const video = videoTrack(encoding.tracks);
    this.#present = encoding;
    this.#sound = hasOpus(encoding) ? encoding : this.#offered().find(hasOpus);
    this.#sets = video === undefined ? [] : parameterSets(video.configuration);
    this.#waiting = true;
  }

  #sendSound(now: Micros, unit: Unit, sender: NonNullable<Peer["session"]["sender"]>): boolean {
    const pts = unit.pts + (this.#sound === this.#present ? this.#shift : 0);
    if (this.#audio === undefined || unit.data.length > PAYLOAD_MAX || pts <= this.#lastSound) return false;
    this.#lastSound = pts;
    return sender.send(now, this.#audio, unit.data, 0, unit.data.length, ticks(pts, 48_000), false);
  }

  #sendPicture(now: Micros, unit: Unit, sender: NonNullable<Peer["session"]["sender"]>): void {
    const stream = this.#video;
    if (stream === undefined) return;
    const full = sender.pacer.expectedQueueTime > QUEUE_TIME_MAX;
    if (full) this.#waiting = true;
    if (this.#waiting && !unit.keyframe) {
      this.stats.skipped++;
      if (!full && !this.#asked) {
        this.#asked = true;
        this.#present?.requestKeyFrame();
      }
      return;
    }
    this.#waiting = false;
    this.#asked = false;
    const packetizer = this.#packetizer;
    packetizer.open(unit.data, unit.keyframe ? this.#sets : []);
    const pts = unit.pts + this.#shift;
    this.#lastPicture = Math.max(this.#lastPicture, pts);
    const timestamp = ticks(pts, 90_000);
    for (let first = true; ; first = false) {
      const length = packetizer.next(this.#payload, PAYLOAD_MAX);
      if (length === 0) return;
      if (!sender.send(now, stream, this.#payload, 0, length, timestamp, packetizer.last, first && unit.keyframe)) {
        this.#waiting = true;
        return;
      }
    }
  }
}

/** Audio was encoded elsewhere, and small. */
const indifferent: Encoder = { onBitrate() {}, onKeyFrameRequest() {} };

function hasOpus({ tracks }: Encoding): boolean {
  return tracks.some(({ codec }) => codec === "opus");
}

function ticks(time: Micros, clockRate: number): number {
  return Math.round((time * clockRate) / 1e6) % 2 ** 32;
}
