/**
 * Sends Tracks and Units to a viewer: H.264, and Opus where the stream has it.
 *
 *   Unit ─▶ H264Packetizer ─▶ Sender          parameter sets go before each key frame
 *
 * There is one encoding for all viewers, which is not asked for less: who has too slow a path misses pictures up to a key frame. Key frames are asked for:
 * at the beginning, by the viewer's PLI, and when the path has room again.
 *
 * Source: RFC 6184, RFC 7587 section 4.
 */
import type { BitsPerSecond, Micros } from "../base/units.ts";
import { parameterSets } from "../media/h264/decoder-configuration.ts";
import { H264Packetizer } from "../media/rtp/h264-payload.ts";
import type { Negotiated } from "../media/sdp/negotiation.ts";
import type { Track, Unit } from "../media/unit.ts";
import { type Encoder, type OutboundStream, PAYLOAD_MAX } from "./outbound-stream.ts";
import type { OutboundSource, Peer } from "./peer.ts";

/** Tuning: what waits longer than this in the pacer is not worth sending. */
const QUEUE_TIME_MAX: Micros = 700_000;
const RATE_MIN: BitsPerSecond = 100_000;
const RATE_MAX: BitsPerSecond = 20_000_000;
const AUDIO_RATE: BitsPerSecond = 64_000;

export class Playout {
  readonly stats = { units: 0, /** Pictures not sent, because the path is too slow or a key frame is waited for. */ skipped: 0 };
  readonly #packetizer = new H264Packetizer();
  readonly #payload = new Uint8Array(PAYLOAD_MAX);
  #peer: Peer | undefined;
  #video: OutboundStream | undefined;
  #audio: OutboundStream | undefined;
  readonly #requestKeyFrame: () => void;
  #sets: readonly Uint8Array[] = [];
  #waiting = true;
  /** A picture that stands alone was asked for since we wait; not before the path is up, as it would be gone then. */
  #asked = false;

  /** `requestKeyFrame` asks whoever encodes, if it can be asked; it limits how often. */
  constructor(requestKeyFrame: () => void = () => {}) {
    this.#requestKeyFrame = requestKeyFrame;
  }

  /** What can be sent in a section: everything but audio that browsers cannot decode from RTP. */
  source(section: Negotiated, tracks: readonly Track[]): OutboundSource | undefined {
    if (section.kind === "video") {
      return { encoder: { onBitrate() {}, onKeyFrameRequest: this.#requestKeyFrame }, min: RATE_MIN, max: RATE_MAX };
    }
    const opus = tracks.some(({ codec }) => codec === "opus");
    return opus ? { encoder: indifferent, min: AUDIO_RATE, max: AUDIO_RATE } : undefined;
  }

  start(peer: Peer, tracks: readonly Track[]): void {
    this.#peer = peer;
    this.#video = peer.outbound.find(({ audio }) => !audio);
    this.#audio = peer.outbound.find(({ audio }) => audio);
    this.tracks(tracks);
  }

  tracks(tracks: readonly Track[]): void {
    const video = tracks.find(({ kind }) => kind === "video");
    this.#sets = video === undefined ? [] : parameterSets(video.configuration);
    this.#waiting = true;
  }

  unit(unit: Unit): void {
    const peer = this.#peer;
    const sender = peer?.session.sender;
    if (peer === undefined || sender === undefined || !peer.up) return;
    const now = peer.now();
    if (unit.kind === "audio") {
      if (this.#audio === undefined || unit.data.length > PAYLOAD_MAX) return;
      sender.send(now, this.#audio, unit.data, 0, unit.data.length, ticks(unit.pts, 48_000), false);
    } else this.#sendPicture(now, unit, sender);
    this.stats.units++;
    peer.wake();
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
        this.#requestKeyFrame();
      }
      return;
    }
    this.#waiting = false;
    this.#asked = false;
    const packetizer = this.#packetizer;
    packetizer.open(unit.data, unit.keyframe ? this.#sets : []);
    const timestamp = ticks(unit.pts, 90_000);
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

function ticks(time: Micros, clockRate: number): number {
  return Math.round((time * clockRate) / 1e6) % 2 ** 32;
}
