/**
 * Messages of a publisher that wait for a link, none of them for longer than a bounded delay: what the link cannot carry in time is left out here, where frames
 * are known, and what follows arrives as fresh as before.
 *
 *   key d d d d d d d d   key d d d …          d: predicted frames
 *   └ sent ┘ └ left out ┘ └ goes on            the tail of a group of pictures, as a whole: a decoder sees a picture that stands, never a damaged one
 *
 * In this order, as long as the oldest picture has waited for too long: the tail of its group; that picture itself, a key frame; audio last, once no video is left and it has waited twice as long: behind a large key frame it is late for a moment, and small. Configurations, metadata and commands are never left out.
 */
import { type Bytes, type Millis, NEVER } from "../../base/units.ts";
import type { Message } from "./message.ts";
import { KEY, kindOf, PREDICTED, SOUND } from "./message-kind.ts";

/** Tuning: rates are looked at so often. */
const WINDOW_MS: Millis = 500;
/** In units of what video may wait. */
const SOUND_PATIENCE = 2;

export interface LiveQueueStats {
  /** Frames left out; key frames among them; groups of pictures that lost their tail. */
  videoDropped: number;
  keysDropped: number;
  tailsDropped: number;
  audioDropped: number;
  droppedBytes: Bytes;
  /** Times that more waited than the limit allows. */
  limitHits: number;
}

interface Waiting {
  readonly message: Message;
  readonly kind: number;
  readonly at: Millis;
}

export class LiveQueue {
  /** Bytes that wait. */
  bytes: Bytes = 0;
  readonly stats: LiveQueueStats = { videoDropped: 0, keysDropped: 0, tailsDropped: 0, audioDropped: 0, droppedBytes: 0, limitHits: 0 };
  /** Bytes a millisecond that the link took while something waited all the time, and that came in; 0 before anything is known. */
  linkRate = 0;
  inRate = 0;
  readonly #delayMax: Millis;
  readonly #bytesMax: Bytes;
  #waiting: Waiting[] = [];
  /** Of `#waiting`, what was taken. */
  #taken = 0;
  /** A tail is being left out: predicted frames are of no use until a key frame comes. */
  #tail = false;
  #windowAt: Millis = -1;
  #windowOut: Bytes = 0;
  #windowIn: Bytes = 0;
  /** The link took all there was, in this window and at last. */
  #drained = true;
  #idle = true;
  #now: Millis = 0;

  /** Messages wait for `delayMax` at most, `bytesMax` bytes of them. */
  constructor(delayMax: Millis, bytesMax: Bytes) {
    this.#delayMax = delayMax;
    this.#bytesMax = bytesMax;
  }

  get length(): number {
    return this.#waiting.length - this.#taken;
  }

  push(now: Millis, message: Message): void {
    this.#look(now);
    const kind = kindOf(message);
    const bytes = message.payload.length;
    this.#windowIn += bytes;
    this.#idle = false;
    if (kind === KEY) this.#tail = false;
    if (kind === PREDICTED && this.#tail) {
      this.#count(kind, bytes);
      return;
    }
    this.#waiting.push({ message, kind, at: now });
    this.bytes += bytes;
    this.advance(now);
  }

  /** Next to be sent, undefined: none. */
  shift(now: Millis): Message | undefined {
    this.advance(now);
    const first = this.#waiting[this.#taken];
    if (first === undefined) {
      this.#idle = true;
      this.#drained = true;
      return undefined;
    }
    const bytes = first.message.payload.length;
    this.bytes -= bytes;
    if (++this.#taken === this.#waiting.length) {
      this.#waiting = [];
      this.#taken = 0;
    } else if (this.#taken > 1024) this.#forgetTaken();
    return first.message;
  }

  /** The link has taken so many bytes. */
  sent(now: Millis, bytes: Bytes): void {
    this.#look(now);
    this.#windowOut += bytes;
  }

  /** Leaves out what has waited for too long. */
  advance(now: Millis): void {
    this.#now = now;
    this.#look(now);
    for (;;) {
      const full = this.bytes > this.#bytesMax;
      if (full) this.stats.limitHits++;
      if (!this.#leaveOutVideo(full) && !this.#leaveOutSound(full)) return;
    }
  }

  /** When something more will have waited for too long, NEVER: nothing waits. */
  deadline(): Millis {
    const video = this.#first(KEY, PREDICTED);
    const sound = this.#first(SOUND, SOUND);
    const due = (at: number, patience: Millis): Millis => (at < 0 ? NEVER : this.#waiting[at]!.at + patience + 1);
    return Math.min(due(video, this.#delayMax), due(sound, SOUND_PATIENCE * this.#delayMax));
  }

  /** True when something was; `full`: although it is not late. */
  #leaveOutVideo(full: boolean): boolean {
    const video = this.#first(KEY, PREDICTED);
    if (video < 0 || (!full && this.#now - this.#waiting[video]!.at <= this.#delayMax)) return false;
    const from = this.#waiting[video]!.kind === KEY ? this.#nextVideo(video) : video;
    if (from >= 0 && this.#waiting[from]!.kind === PREDICTED) this.#dropTail(from);
    else {
      // With no other key frame behind it, nothing can be made of what comes until there is one.
      this.#tail = from < 0;
      this.#drop(video);
    }
    return true;
  }

  #leaveOutSound(full: boolean): boolean {
    const sound = this.#first(SOUND, SOUND);
    if (sound < 0 || (!full && this.#now - this.#waiting[sound]!.at <= SOUND_PATIENCE * this.#delayMax)) return false;
    this.#drop(sound);
    return true;
  }

  #first(kind: number, other: number): number {
    for (let i = this.#taken; i < this.#waiting.length; i++) {
      const { kind: found } = this.#waiting[i]!;
      if (found === kind || found === other) return i;
    }
    return -1;
  }

  #nextVideo(from: number): number {
    for (let i = from + 1; i < this.#waiting.length; i++) {
      const { kind } = this.#waiting[i]!;
      if (kind === KEY || kind === PREDICTED) return i;
    }
    return -1;
  }

  /** Predicted frames from there to the next key frame, or until one comes. */
  #dropTail(from: number): void {
    this.stats.tailsDropped++;
    const kept = this.#waiting.slice(this.#taken, from);
    let i = from;
    for (; i < this.#waiting.length && this.#waiting[i]!.kind !== KEY; i++) {
      const { kind, message } = this.#waiting[i]!;
      if (kind !== PREDICTED) kept.push(this.#waiting[i]!);
      else {
        this.bytes -= message.payload.length;
        this.#count(kind, message.payload.length);
      }
    }
    this.#tail = i === this.#waiting.length;
    this.#waiting = [...kept, ...this.#waiting.slice(i)];
    this.#taken = 0;
  }

  #drop(at: number): void {
    const { kind, message } = this.#waiting[at]!;
    this.bytes -= message.payload.length;
    this.#count(kind, message.payload.length);
    this.#forgetTaken();
    this.#waiting.splice(at - this.#taken, 1);
  }

  #forgetTaken(): void {
    if (this.#taken === 0) return;
    this.#waiting = this.#waiting.slice(this.#taken);
    this.#taken = 0;
  }

  #count(kind: number, bytes: Bytes): void {
    const { stats } = this;
    stats.droppedBytes += bytes;
    if (kind === SOUND) stats.audioDropped++;
    else stats.videoDropped++;
    if (kind === KEY) stats.keysDropped++;
  }

  #look(now: Millis): void {
    const span = now - this.#windowAt;
    if (this.#windowAt >= 0 && span < WINDOW_MS) return;
    if (this.#windowAt >= 0) {
      this.inRate = smooth(this.inRate, this.#windowIn / span);
      if (!this.#drained) this.linkRate = smooth(this.linkRate, this.#windowOut / span);
    }
    this.#windowAt = now;
    this.#windowOut = 0;
    this.#windowIn = 0;
    this.#drained = this.#idle;
  }
}

function smooth(before: number, now: number): number {
  return before === 0 ? now : before + (now - before) / 4;
}
