/**
 * Sends Tracks and Units to a viewer: H.264, and Opus where the stream has it.
 *
 *   Unit ─▶ H264Packetizer ─▶ Sender          parameter sets go before each key frame
 *
 * There is one encoding and no encoder to ask for less: a viewer whose path is too slow misses pictures up to a key frame.
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
  #sets: readonly Uint8Array[] = [];
  #waiting = true;

  /** What can be sent in a section: everything but audio that browsers cannot decode from RTP. */
  static source(section: Negotiated, tracks: readonly Track[]): OutboundSource | undefined {
    if (section.kind === "video") return { encoder: indifferent, min: RATE_MIN, max: RATE_MAX };
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
    if (sender.pacer.expectedQueueTime > QUEUE_TIME_MAX) this.#waiting = true;
    if (this.#waiting && !unit.keyframe) {
      this.stats.skipped++;
      return;
    }
    this.#waiting = false;
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

/** The stream was encoded elsewhere. */
const indifferent: Encoder = { onBitrate() {}, onKeyFrameRequest() {} };

function ticks(time: Micros, clockRate: number): number {
  return Math.round((time * clockRate) / 1e6) % 2 ** 32;
}
