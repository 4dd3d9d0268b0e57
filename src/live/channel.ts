/**
 * A channel: one live rendition under one address, on the air or off it.
 *
 *   offline ── publish ──▶ live ── unpublish, idle, takeover ──▶ offline ── `offline` seconds ──▶ offline, nothing held
 *
 * Segments are numbered on through all of this, so viewers keep the address and the player they have.
 */
import { type Millis, NEVER } from "../base/units.ts";
import { holds } from "../media/hls/blocking-reload.ts";
import type { AssociatedRendition } from "../media/hls/rendition-report.ts";
import { Segmenter, type SegmenterOptions } from "../media/hls/segmenter.ts";
import { type Segment, Window, type WindowOptions } from "../media/hls/window.ts";
import type { Metadata } from "../media/rtmp/metadata.ts";
import { type Track, type Unit, type VideoTrack, videoTrack } from "../media/unit.ts";
import { PlaylistCache } from "./playlist-cache.ts";
import { RateMeter } from "./rate-meter.ts";
import { type Waited, Waiters } from "./waiters.ts";

export interface ChannelOptions {
  readonly window: WindowOptions;
  readonly segmenter: SegmenterOptions;
  readonly waitersMax: number;
  /** How long the last segments stay after the encoder left. */
  readonly offlineKeep: Millis;
  readonly compress: (text: string) => Uint8Array<ArrayBuffer>;
}

/** Gets what an encoder publishes as it comes. */
export interface ChannelListener {
  /** An encoder begins. */
  started?(): void;
  tracks(tracks: readonly Track[]): void;
  unit(unit: Unit): void;
  /** A rendition of the channel begins: another channel, which has listeners of its own. */
  rendition?(rendition: Channel): void;
  /** A segment is complete; `init` is what it needs before it. Both stay as they are. */
  segment?(segment: Segment, init: Uint8Array): void;
  /** The encoder left; another may come. `reason`: why its stream was ended from here, in a word; "": it left. */
  ended(reason: string): void;
}

export class Channel {
  /** Told of everything that is published; whoever adds itself limits how many they are. */
  readonly listeners = new Set<ChannelListener>();
  readonly name: string;
  readonly window: Window;
  readonly playlists: PlaylistCache;
  readonly waiters: Waiters;
  readonly #options: ChannelOptions;
  readonly #rate = new RateMeter();
  /** Whose rendition this is; undefined for the encoder's own. */
  readonly #encoderOwn: Channel | undefined;
  #segmenter: Segmenter | undefined;
  /** Asks the encoder for a key frame; undefined where nobody can. */
  #askKeyFrame: (() => void) | undefined;
  #forgetAt: Millis = NEVER;
  #version = 0;
  /** Segments before this one were told of. */
  #told = 0;
  /** Others of the same stream, encoded anew, by their name in addresses; theirs is all but the encoder. */
  readonly renditions = new Map<string, Channel>();
  tracks: readonly Track[] = [];
  /** What the encoder said of itself, where it did. */
  told: Metadata | undefined;
  /** How many of the picture the encoder may send itself; others are renditions. */
  encodings = 1;
  /** Of multitrack video what is not the channel's own, by the name of its rendition (multitrack.ts). */
  others: ReadonlyMap<string, VideoTrack> = new Map();
  /** Unix ms at which the stream began; 0 while offline. */
  since = 0;
  /** Unix ms of the last unit and of the last part; 0 before the first. */
  lastArrival = 0;
  lastPart = 0;
  readonly counters = { streams: 0, units: 0, bytes: 0, keyFrameRequests: 0 };

  /** A rendition of this channel, cut as it is, under a name of its own; off the air until somebody starts it. */
  rendition(name: string): Channel {
    const found = this.renditions.get(name);
    if (found !== undefined) return found;
    const { window } = this.#options;
    const made = new Channel(`${this.name}/${name}`, { ...this.#options, window: { ...window, firstMsn: 0 } }, this);
    this.renditions.set(name, made);
    return made;
  }

  /**
   * A rendition that still comes leaves its address to what follows: it goes on for those who listen to it, until whoever pushes into it ends it; viewers have an
   * empty one, off the air, whose numbers are behind its own.
   */
  detachRendition(name: string): void {
    const before = this.renditions.get(name);
    if (before === undefined) return;
    const { window } = this.#options;
    const made = new Channel(before.name, { ...this.#options, window: { ...window, firstMsn: 0 } }, this);
    made.window.follow(before.window);
    // In its place: the order of variants stays.
    this.renditions.set(name, made);
    // Nobody tells it the time any more, and what is waited for will not be at this address.
    before.waiters.advance(NEVER);
  }

  /** Puts a rendition on the air that has the channel's next number and `discontinuities` before it; `wall` in Unix ms. */
  beginRendition(name: string, now: Millis, wall: number, askKeyFrame?: () => void, discontinuities = this.discontinuities): Channel {
    const rendition = this.rendition(name);
    if (rendition.live) rendition.end(now);
    if (rendition.window.version > 0) rendition.window.clear();
    rendition.window.continueAt(Math.max(this.window.nextMsn, rendition.window.nextMsn), discontinuities);
    rendition.start(wall, askKeyFrame);
    for (const listener of this.listeners) listener.rendition?.(rendition);
    return rendition;
  }

  /** Of all that was and is listed. */
  get discontinuities(): number {
    return this.window.discontinuitySequence + this.window.listed.filter(({ discontinuity }) => discontinuity).length;
  }

  constructor(name: string, options: ChannelOptions, encoderOwn?: Channel) {
    this.name = name;
    this.#options = options;
    this.window = new Window(options.window);
    this.#encoderOwn = encoderOwn;
    this.playlists = new PlaylistCache(this.window, options.compress, () => this.#others());
    this.waiters = new Waiters(options.waitersMax);
  }

  get live(): boolean {
    return this.#segmenter !== undefined;
  }

  get segmenter(): Segmenter | undefined {
    return this.#segmenter;
  }

  /** Of its picture; 0 without. */
  get pixels(): number {
    return pixelsOf(this.tracks);
  }

  bitsPerSecond(now: Millis): number {
    return this.#rate.rate(now);
  }

  /**
   * An encoder begins to publish; the channel must be offline. `wall` in Unix ms; `askKeyFrame`: how it is asked for a key frame, if it can be; `encodings`: how many of
   * the picture it may send.
   */
  start(wall: number, askKeyFrame?: () => void, encodings = 1): void {
    this.#askKeyFrame = askKeyFrame;
    this.encodings = encodings;
    this.#segmenter = new Segmenter(this.window, this.#options.segmenter);
    this.#forgetAt = NEVER;
    this.tracks = [];
    this.others = new Map();
    this.told = undefined;
    this.since = wall;
    this.counters.streams++;
    for (const listener of this.listeners) listener.started?.();
  }

  configure(tracks: readonly Track[]): void {
    this.#segmenter?.configure(tracks);
    this.tracks = tracks;
    for (const listener of this.listeners) listener.tracks(tracks);
    this.#publish(this.lastPart);
  }

  push(now: Millis, unit: Unit): void {
    if (this.#segmenter === undefined) return;
    this.counters.units++;
    this.counters.bytes += unit.data.length;
    this.#rate.add(now, unit.data.length);
    this.lastArrival = unit.arrival;
    this.#segmenter.push(unit);
    for (const listener of this.listeners) listener.unit(unit);
    this.#publish(unit.arrival);
  }

  /** Timed metadata for the viewers; false: the channel is off the air, or too much waits already. */
  text(text: string): boolean {
    return this.#segmenter?.text(text) ?? false;
  }

  /** A viewer can show nothing before the next key frame. Counted, and passed on to an encoder that listens. */
  requestKeyFrame(): void {
    this.counters.keyFrameRequests++;
    this.#askKeyFrame?.();
  }

  /** The encoder left, or, with a `reason`, was turned away. */
  end(now: Millis, reason = ""): void {
    this.#askKeyFrame = undefined;
    this.#segmenter?.end();
    this.#announce();
    for (const listener of this.listeners) listener.ended(reason);
    this.#segmenter = undefined;
    this.since = 0;
    this.#forgetAt = now + this.#options.offlineKeep;
    this.#publish(this.lastArrival);
  }

  /** Waits for part `part` of segment `msn`, or with `part` −1 for the whole segment; at most three target durations. */
  wait(now: Millis, msn: number, part: number, signal?: AbortSignal): Promise<Waited> {
    return this.waiters.wait(now, 3000 * this.window.targetDuration, () => holds(this.window, msn, part), signal);
  }

  advance(now: Millis): Millis {
    if (now >= this.#forgetAt) {
      this.#forgetAt = NEVER;
      this.window.clear();
      this.#publish(this.lastPart);
    }
    let deadline = Math.min(this.#forgetAt, this.waiters.advance(now));
    for (const rendition of this.renditions.values()) deadline = Math.min(deadline, rendition.advance(now));
    return deadline;
  }

  /** What else the stream's multivariant playlist has, as addresses of delivery.ts are relative to this one's. */
  #others(): AssociatedRendition[] {
    const own = this.#encoderOwn ?? this;
    const up = own === this ? "r/" : "../";
    const others = own === this ? [] : [{ uri: "../../media.m3u8", window: own.window }];
    for (const [name, { live, window }] of own.renditions) {
      // What an encoder before this one had is over.
      if (window !== this.window && (live || !own.live)) others.push({ uri: `${up}${name}/media.m3u8`, window });
    }
    return others;
  }

  #publish(partAt: number): void {
    if (this.#version === this.window.version) return;
    this.#version = this.window.version;
    this.lastPart = partAt;
    this.#announce();
    this.waiters.notify();
  }

  /** Tells of the segments that were completed. */
  #announce(): void {
    const next = this.window.nextMsn;
    for (let msn = Math.max(this.#told, this.window.listed[0]?.msn ?? next); msn < next; msn++) {
      const segment = this.window.segment(msn);
      const init = segment === undefined ? undefined : this.window.init(segment.init);
      if (segment?.complete !== true || init === undefined) continue;
      for (const listener of this.listeners) listener.segment?.(segment, init);
    }
    this.#told = next;
  }
}

/** Of the picture, 0 without. */
export function pixelsOf(tracks: readonly Track[]): number {
  const video = videoTrack(tracks);
  return video === undefined ? 0 : video.width * video.height;
}
