/**
 * Turns an MPEG-2 transport stream into Tracks and Units.
 *
 *   bytes ─▶ packets of 188 ─▶ PAT ─▶ PMT: which PIDs            sections, checked
 *                           ─▶ PES of video ─▶ PictureReader ─▶ Track, Unit
 *                           ─▶ PES of audio ─▶ SoundReader   ─▶ Track, Unit
 *
 * Bytes come in pieces of any size. Where packets are missing, their picture is dropped, and what follows up to the next key frame: no decoder could show it whole.
 * Damage is counted, never thrown. A stream without a codec that we carry ends with a sentence for its publisher.
 *
 * Source: ISO/IEC 13818-1; stream types in its table 2-34.
 *
 * Deviations: the first video and the first audio stream of the first program are taken, H.264 or H.265 and AAC in ADTS; others are left alone as long as there is video.
 * A packet of open length, as all of video are, ends where the next one begins, so that a picture is a frame late. Scrambled packets are damage.
 */
import { ProtocolError } from "../../base/errors.ts";
import type { Bytes } from "../../base/units.ts";
import { HAS_SLICE, HAS_START } from "../nal/access-unit.ts";
import { AUDIO_TRACK, Timeline, type TimelineStats, transportStreamClock, VIDEO_TRACK } from "../timeline.ts";
import type { Unit, UnitEvent } from "../unit.ts";
import { UnitQueue } from "../unit-queue.ts";
import { PACKET_BYTES, Packet, SYNC } from "./packet.ts";
import { PesReader } from "./pes.ts";
import { PictureReader } from "./picture-reader.ts";
import { type ElementaryStream, readAssociation, readMap, SectionReader } from "./section.ts";
import { SoundReader } from "./sound-reader.ts";
import { videoCodec } from "./video-codec.ts";

export interface TsToUnitOptions {
  /** Events waiting for `event`; default 1024. */
  readonly eventsMax?: number;
  /** Largest coded picture; default 4 MiB. */
  readonly pictureBytesMax?: Bytes;
}

const NONE = -1;
const PAT_PID = 0;
const STREAM_AAC = 0x0f;
const SOUND_BYTES_MAX: Bytes = 65_536 + 6;
const TICKS = 90_000;
const TICKS_SPAN = 2 ** 33;
/** Units that wait for a track that has not shown itself. */
const HELD_MAX = 256;
const HELD_MICROS = 1_000_000;
/** Reordering by 16 pictures at 5 a second. */
const COMPOSITION_TICKS_MAX = 3.2 * TICKS;

export class TsToUnit {
  readonly stats = {
    packets: 0,
    /** Bytes between packets, where the stream was out of step. */
    skipped: 0,
    /** Packets, tables and frames that cannot be read. */
    damaged: 0,
    videoUnits: 0,
    audioUnits: 0,
    configurations: 0,
    /** Pictures dropped because something was missing, or before the first key frame. */
    broken: 0,
    early: 0,
    /** Units without a time. */
    timeless: 0,
    dropped: 0,
  };
  readonly #timeline = new Timeline(transportStreamClock);
  readonly #queue: UnitQueue;
  readonly #packet = new Packet();
  /** The beginning of a packet whose end has not come. */
  readonly #part = new Uint8Array(PACKET_BYTES);
  #partLength = 0;
  readonly #association = new SectionReader();
  readonly #map = new SectionReader();
  #mapPid = NONE;
  #videoPid = NONE;
  #audioPid = NONE;
  #videoType = NONE;
  readonly #video: PesReader;
  readonly #audio = new PesReader(SOUND_BYTES_MAX);
  #pictures: PictureReader | undefined;
  #sound = new SoundReader();
  #waiting = true;
  #hasVideo = false;
  #begun = false;
  readonly #held: Unit[] = [];

  constructor({ eventsMax = 1024, pictureBytesMax = 4 << 20 }: TsToUnitOptions = {}) {
    this.#queue = new UnitQueue(this.stats, eventsMax);
    this.#video = new PesReader(pictureBytesMax);
  }

  get timelineStats(): Readonly<TimelineStats> {
    return this.#timeline.stats;
  }

  /** Transport packets found missing so far. */
  get gaps(): number {
    return this.#video.stats.gaps + this.#audio.stats.gaps;
  }

  event(): UnitEvent | undefined {
    return this.#queue.event();
  }

  /** The next bytes, in pieces of any size; they are copied. `arrival`: Unix milliseconds. */
  receive(bytes: Uint8Array, arrival: number): void {
    let at = 0;
    if (this.#partLength > 0) {
      at = Math.min(PACKET_BYTES - this.#partLength, bytes.length);
      this.#part.set(bytes.subarray(0, at), this.#partLength);
      this.#partLength += at;
      if (this.#partLength < PACKET_BYTES) return;
      this.#partLength = 0;
      this.#take(this.#part, 0, arrival);
    }
    while (at < bytes.length) {
      if (bytes[at] !== SYNC) {
        const next = bytes.indexOf(SYNC, at);
        this.stats.skipped += (next < 0 ? bytes.length : next) - at;
        if (next < 0) return;
        at = next;
      }
      if (at + PACKET_BYTES > bytes.length) {
        this.#part.set(bytes.subarray(at));
        this.#partLength = bytes.length - at;
        return;
      }
      // In step only where the next packet begins behind this one, as far as can be seen.
      if (at + PACKET_BYTES < bytes.length && bytes[at + PACKET_BYTES] !== SYNC) {
        this.stats.skipped++;
        at++;
        continue;
      }
      this.#take(bytes, at, arrival);
      at += PACKET_BYTES;
    }
  }

  /** The stream is at its end: the last picture is whole. */
  end(arrival: number): void {
    if (this.#video.finish()) this.#takePicture(arrival);
    if (this.#audio.finish()) this.#takeSound(arrival);
    for (const unit of this.#held.splice(0)) this.#queue.unit(unit);
  }

  #take(bytes: Uint8Array, at: number, arrival: number): void {
    if (this.#queue.failed) return;
    const packet = this.#packet;
    this.stats.packets++;
    if (!packet.read(bytes, at)) this.stats.damaged++;
    else if (packet.start === packet.end) return;
    else if (packet.pid === this.#videoPid) this.#carry(this.#video, bytes, arrival);
    else if (packet.pid === this.#audioPid) this.#carry(this.#audio, bytes, arrival);
    else if (packet.pid === PAT_PID) {
      const section = this.#association.push(bytes, packet.start, packet.end, packet.unitStart);
      const pid = section === undefined ? undefined : readAssociation(section);
      if (pid === undefined || pid === this.#mapPid) return;
      this.#mapPid = pid;
      this.#map.reset();
    } else if (packet.pid === this.#mapPid) {
      const section = this.#map.push(bytes, packet.start, packet.end, packet.unitStart);
      const streams = section === undefined ? undefined : readMap(section);
      if (streams !== undefined) this.#choose(streams);
    }
  }

  #choose(streams: readonly ElementaryStream[]): void {
    const video = streams.find(({ type }) => videoCodec(type) !== undefined);
    const audio = streams.find(({ type }) => type === STREAM_AAC);
    if (video === undefined) {
      const types = streams.map(({ type }) => `0x${type.toString(16)}`).join(", ");
      this.#queue.fail(
        new ProtocolError("ts.codec", `no H.264 or H.265 video in the stream (stream types ${types || "none"}); publish H.264 and AAC`),
      );
      return;
    }
    if (video.pid !== this.#videoPid || video.type !== this.#videoType) {
      this.#pictures = new PictureReader(videoCodec(video.type)!);
      this.#waiting = true;
    }
    this.#videoPid = video.pid;
    this.#videoType = video.type;
    if (audio !== undefined && audio.pid !== this.#audioPid) this.#sound = new SoundReader();
    this.#audioPid = audio?.pid ?? NONE;
  }

  #carry(pes: PesReader, bytes: Uint8Array, arrival: number): void {
    const { continuity, discontinuity, unitStart, randomAccess, start, end } = this.#packet;
    if (!pes.continues(continuity, discontinuity)) return;
    if (unitStart) {
      if (pes.finish()) this.#takePes(pes, arrival);
      pes.begin(randomAccess);
    }
    if (pes.push(bytes, start, end)) this.#takePes(pes, arrival);
  }

  #takePes(pes: PesReader, arrival: number): void {
    if (pes === this.#video) this.#takePicture(arrival);
    else this.#takeSound(arrival);
  }

  #takePicture(arrival: number): void {
    const { bytes, start, end, pts, dts, gap, randomAccess } = this.#video;
    const pictures = this.#pictures!;
    if (gap) {
      this.stats.broken++;
      this.#waiting = true;
    }
    if (!pictures.scan(bytes, start, end)) {
      this.stats.damaged++;
      return;
    }
    const track = pictures.configuration(bytes);
    if (track !== undefined) {
      this.#waiting = true;
      this.#hasVideo = true;
      this.#queue.track(track);
    }
    const data = pictures.picture(bytes);
    const found = pictures.codec.inspect(data, 0, 4);
    if ((found & HAS_SLICE) === 0) {
      this.stats.damaged++;
      return;
    }
    const keyframe = (found & HAS_START) !== 0 || randomAccess;
    if (this.#waiting && !keyframe) {
      this.stats.early++;
      return;
    }
    if (Number.isNaN(dts)) {
      this.stats.timeless++;
      return;
    }
    this.#waiting = false;
    const time = this.#timeline.map(VIDEO_TRACK, dts);
    const composition = (pts - dts + TICKS_SPAN) % TICKS_SPAN;
    const shift = composition <= COMPOSITION_TICKS_MAX ? Math.round((composition * 1e6) / TICKS) : 0;
    this.stats.videoUnits++;
    this.#emitUnit({ kind: "video", dts: time, pts: time + shift, keyframe, data, arrival });
  }

  #takeSound(arrival: number): void {
    const { bytes, start, end, pts, gap } = this.#audio;
    const sound = this.#sound;
    const damaged = sound.stats.damaged;
    // The packet's time is that of the first frame that begins in it.
    let ahead = sound.add(bytes.subarray(start, end), gap) ? -1 : 0;
    while (sound.next()) {
      const { track, frame, changed } = sound;
      if (changed) this.#queue.track(track!);
      if (Number.isNaN(pts)) {
        this.stats.timeless++;
        continue;
      }
      const ticks = (ahead * track!.samplesPerUnit * TICKS) / track!.sampleRate;
      ahead++;
      const time = this.#timeline.map(AUDIO_TRACK, (Math.round(pts + ticks) + TICKS_SPAN) % TICKS_SPAN);
      this.stats.audioUnits++;
      this.#emitUnit({ kind: "audio", dts: time, pts: time, keyframe: true, data: frame, arrival });
    }
    this.stats.damaged += sound.stats.damaged - damaged;
  }

  /** Units wait until all tracks of the program have shown themselves, so that viewers are told of them at once; but not for one that never comes. */
  #emitUnit(unit: Unit): void {
    if (this.#begun) {
      this.#queue.unit(unit);
      return;
    }
    this.#held.push(unit);
    const complete = this.#hasVideo && (this.#audioPid === NONE || this.#sound.track !== undefined);
    if (!complete && this.#held.length < HELD_MAX && unit.dts - this.#held[0]!.dts < HELD_MICROS) return;
    this.#begun = true;
    for (const held of this.#held.splice(0)) this.#queue.unit(held);
  }
}
