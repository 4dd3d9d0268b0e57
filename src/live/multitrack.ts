/**
 * Multitrack video: an encoder sends its picture in several sizes, as OBS does it. One of them is the channel's own; the others are renditions with the same sound, so that
 * viewers have smaller pictures and nobody encodes anew.
 *
 *   unit-feed ─ own picture, sound ─▶ Channel          segments 7 ──────── 8 ──────── 9 ──────
 *             └ other pictures, sound ─▶ /r/t1 … /r/tN          └ a rendition begins where a segment of the own one does, with a key frame of the same time
 *
 * What comes of a picture is held until its rendition begins. Where its key frames are elsewhere it begins all the same, three segments later: players can still change, with a jump.
 *
 * Source: Enhanced RTMP v2, "Multitrack Streaming": one clock for all tracks; track ids say nothing of what is in them.
 */
import type { Bytes, Micros, Millis } from "../base/units.ts";
import type { Log } from "../host/log.ts";
import type { AudioTrack, Unit, VideoTrack } from "../media/unit.ts";
import type { Channel } from "./channel.ts";
import { StreamDates } from "./stream-dates.ts";

/** What is held of one picture; more is dropped, up to its next key frame. */
const HELD_MAX = 1024;
const HELD_BYTES_MAX: Bytes = 16 * 2 ** 20;
/** So far apart two stamps are of one moment: less than half a frame of 60 a second. */
const MOMENT: Micros = 8000;
/** Segments that began without a key frame of this picture. */
const MISSED_MAX = 3;

/** What all pictures of a stream know. */
interface Stream {
  readonly channel: Channel;
  readonly dates: StreamDates;
  readonly log: Log;
  readonly counters: { heldBytes: Bytes; dropped: number };
  sound: AudioTrack | undefined;
  /** Where the open segment of the channel's own begins; undefined before anything of it is published. */
  segmentStart: Micros | undefined;
}

export class Multitrack {
  /** What is held of all pictures now, and units that were dropped because it was too much. */
  readonly counters = { heldBytes: 0, dropped: 0 };
  readonly #stream: Stream;
  readonly #others = new Map<number, OtherPicture>();

  constructor(channel: Channel, log: Log) {
    const { counters } = this;
    this.#stream = { channel, dates: new StreamDates(channel), log, counters, sound: undefined, segmentStart: undefined };
  }

  set sound(track: AudioTrack | undefined) {
    this.#stream.sound = track;
    for (const other of this.#others.values()) other.configure();
  }

  /** One of the other pictures begins or changes. */
  configure(trackId: number, track: VideoTrack): void {
    const other = this.#others.get(trackId) ?? new OtherPicture(`t${trackId}`, this.#stream, track);
    this.#others.set(trackId, other);
    other.configure(track);
  }

  /** Of the channel's own picture, or sound; the channel has it already. */
  own(now: Millis, unit: Unit): void {
    const { channel, dates } = this.#stream;
    dates.observe(unit);
    const start = channel.segmenter?.segmentStart;
    if (start !== undefined && start !== this.#stream.segmentStart) {
      this.#stream.segmentStart = start;
      dates.begins(start);
      for (const other of this.#others.values()) other.segment(now, start);
    }
    if (unit.kind === "audio") for (const other of this.#others.values()) other.push(now, unit);
  }

  /** Of another picture. */
  other(now: Millis, trackId: number, unit: Unit): void {
    this.#others.get(trackId)?.push(now, unit);
  }

  end(now: Millis): void {
    for (const other of this.#others.values()) other.end(now);
    this.#others.clear();
  }
}

class OtherPicture {
  readonly #name: string;
  readonly #stream: Stream;
  #track: VideoTrack;
  #rendition: Channel | undefined;
  #held: Unit[] = [];
  #heldBytes: Bytes = 0;
  #missed = 0;

  constructor(name: string, stream: Stream, track: VideoTrack) {
    this.#name = name;
    this.#stream = stream;
    this.#track = track;
  }

  configure(track = this.#track): void {
    this.#track = track;
    const { channel, sound } = this.#stream;
    channel.others = new Map(channel.others).set(this.#name, track);
    this.#rendition?.configure(sound === undefined ? [track] : [track, sound]);
  }

  /** Sound, too. */
  push(now: Millis, unit: Unit): void {
    if (this.#rendition !== undefined) {
      this.#give(now, unit);
      return;
    }
    const { segmentStart, counters } = this.#stream;
    const key = unit.kind === "video" && unit.keyframe;
    if (this.#held.length >= HELD_MAX || this.#heldBytes >= HELD_BYTES_MAX) {
      counters.dropped += this.#held.length;
      this.#forget();
    }
    // Before anything is published nobody knows with which key frame that will begin.
    if (key && segmentStart !== undefined) this.#forget();
    this.#held.push(unit);
    this.#heldBytes += unit.data.length;
    counters.heldBytes += unit.data.length;
    if (key && segmentStart !== undefined && (together(unit.dts, segmentStart) || this.#missed >= MISSED_MAX)) this.#begin(now, unit.dts);
  }

  /** A segment of the channel's own begins. */
  segment(now: Millis, start: Micros): void {
    if (this.#rendition !== undefined) return;
    const key = this.#held.find(({ kind, keyframe, dts }) => kind === "video" && keyframe && together(dts, start));
    if (key === undefined) this.#missed++;
    else this.#begin(now, key.dts);
  }

  end(now: Millis): void {
    this.#rendition?.end(now);
    this.#rendition = undefined;
  }

  /** With the key frame of `start`. */
  #begin(now: Millis, start: Micros): void {
    const { channel, segmentStart = start, log } = this.#stream;
    this.#rendition = channel.beginRendition(this.#name, now, channel.since);
    this.configure();
    const { codec, width, height } = this.#track;
    const facts = { channel: channel.name, rendition: this.#name, codec, width, height };
    const aligned = together(start, segmentStart);
    if (aligned) log.info(facts, "rendition by the encoder begins");
    else log.warn(facts, "rendition by the encoder begins; its key frames are not where those of the channel's own picture are");
    const held = this.#held;
    this.#forget();
    const from = aligned ? Math.min(start, segmentStart) : start;
    for (const unit of held) if (unit.dts >= from) this.#give(now, unit);
  }

  #give(now: Millis, unit: Unit): void {
    this.#rendition!.push(now, { ...unit, arrival: this.#stream.dates.date(unit.dts) });
  }

  #forget(): void {
    this.#stream.counters.heldBytes -= this.#heldBytes;
    this.#held = [];
    this.#heldBytes = 0;
  }
}

function together(a: Micros, b: Micros): boolean {
  return Math.abs(a - b) <= MOMENT;
}
