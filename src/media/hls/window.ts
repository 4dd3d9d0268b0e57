/**
 * The sliding window of a live rendition: segments and their parts, numbered for ever, held within limits.
 *
 *   kept for late viewers │ listed in the playlist                     │ open
 *   msn 3   msn 4         │ msn 5   msn 6   …   msn 14                 │ msn 15: part 0, part 1, (part 2 is hinted)
 *
 * Source: RFC 8216bis sections 6.2.1 and 6.2.2. Bytes of parts are handed over by the segmenter. When somebody asks for a complete segment they move
 * into one buffer of which the parts are views, so a segment is held once, and one that only low-latency players fetch is never copied.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes, Micros } from "../../base/units.ts";

export interface WindowOptions {
  /** Media Sequence Number of the first segment. Choose it so that a restarted origin goes on above what it used before, e.g. Unix seconds. */
  readonly firstMsn: number;
  /** Complete segments listed in the playlist. */
  readonly segmentsMax: number;
  /** Complete segments that can still be fetched after they left the playlist. */
  readonly segmentsKept: number;
  /** Bytes of all segments together. When it is passed the oldest leave early. */
  readonly bytesMax: Bytes;
  /** EXT-X-TARGETDURATION in whole seconds; grows when a segment turns out longer. */
  readonly targetDuration: number;
}

export interface Part {
  readonly bytes: Uint8Array;
  readonly duration: Micros;
  /** Starts with a frame that needs no other. */
  readonly independent: boolean;
}

export interface SegmentStart {
  /** Unix milliseconds of its first frame. */
  readonly date: number;
  /** The timeline or the configuration does not continue that of the segment before. */
  readonly discontinuity: boolean;
  /** Part Target Duration its parts keep to. */
  readonly partTarget: Micros;
  /** Its init segment, as `addInit` numbered it. */
  readonly init: number;
}

export interface Segment extends SegmentStart {
  readonly msn: number;
  readonly parts: readonly Part[];
  readonly duration: Micros;
  readonly byteLength: Bytes;
  /** Nothing is added any more. */
  readonly complete: boolean;
  /** All bytes, once it is complete. */
  readonly bytes: Uint8Array | undefined;
}

class OpenSegment implements Segment {
  readonly msn: number;
  readonly date: number;
  readonly discontinuity: boolean;
  readonly partTarget: Micros;
  readonly init: number;
  parts: Part[] = [];
  duration: Micros = 0;
  byteLength: Bytes = 0;
  complete = false;
  #bytes: Uint8Array | undefined;

  constructor(msn: number, { date, discontinuity, partTarget, init }: SegmentStart) {
    this.msn = msn;
    this.date = date;
    this.discontinuity = discontinuity;
    this.partTarget = partTarget;
    this.init = init;
  }

  get bytes(): Uint8Array | undefined {
    if (!this.complete) return undefined;
    this.#bytes ??= this.#join();
    return this.#bytes;
  }

  #join(): Uint8Array {
    const bytes = new Uint8Array(this.byteLength);
    let at = 0;
    this.parts = this.parts.map((part) => {
      bytes.set(part.bytes, at);
      at += part.bytes.length;
      return { ...part, bytes: bytes.subarray(at - part.bytes.length, at) };
    });
    return bytes;
  }
}

export class Window {
  readonly #options: WindowOptions;
  readonly #segments: OpenSegment[] = [];
  readonly #inits = new Map<number, Uint8Array>();
  #nextMsn: number;
  #nextInit = 0;
  #firstListed = 0;
  /** Rises with every change; whatever is derived from the window may be cached by it. */
  version = 0;
  targetDuration: number;
  /** EXT-X-DISCONTINUITY-SEQUENCE. */
  discontinuitySequence = 0;
  /** Every listed segment starts with a frame that needs no other. */
  independentSegments = true;
  bytesHeld: Bytes = 0;
  readonly counters = { parts: 0, segments: 0, bytes: 0, evictedByBytes: 0, targetDurationRaised: 0 };

  constructor(options: WindowOptions) {
    this.#options = options;
    this.#nextMsn = options.firstMsn;
    this.targetDuration = options.targetDuration;
  }

  /** Segments in the playlist, the open one last. */
  get listed(): readonly Segment[] {
    return this.#firstListed === 0 ? this.#segments : this.#segments.slice(this.#firstListed);
  }

  /** Part Target Duration of all that is listed; 0 when nothing is. */
  get partTarget(): Micros {
    let target = 0;
    for (let i = this.#firstListed; i < this.#segments.length; i++) target = Math.max(target, this.#segments[i]!.partTarget);
    return target;
  }

  /** Where the next part will be: (msn, part). */
  get nextMsn(): number {
    return this.#open === undefined ? this.#nextMsn : this.#open.msn;
  }
  get nextPart(): number {
    return this.#open === undefined ? 0 : this.#open.parts.length;
  }

  get #open(): OpenSegment | undefined {
    const last = this.#segments[this.#segments.length - 1];
    return last === undefined || last.complete ? undefined : last;
  }

  addInit(bytes: Uint8Array): number {
    this.#inits.set(this.#nextInit, bytes);
    return this.#nextInit++;
  }

  init(id: number): Uint8Array | undefined {
    return this.#inits.get(id);
  }

  /** A segment that is listed or kept. */
  segment(msn: number): Segment | undefined {
    const first = this.#segments[0];
    return first === undefined ? undefined : this.#segments[msn - first.msn];
  }

  openSegment(start: SegmentStart): void {
    assert(this.#open === undefined, "the segment before was completed");
    const msn = this.#nextMsn++;
    this.#segments.push(new OpenSegment(msn, start));
  }

  /** Takes over `part.bytes`. `last` completes the segment. */
  addPart(part: Part, last: boolean): void {
    const segment = this.#open;
    assert(segment !== undefined, "a segment is open");
    segment.parts.push(part);
    segment.duration += part.duration;
    segment.byteLength += part.bytes.length;
    this.bytesHeld += part.bytes.length;
    this.counters.parts++;
    this.counters.bytes += part.bytes.length;
    if (segment.parts.length === 1 && !part.independent) this.independentSegments = false;
    if (last) this.#complete(segment);
    this.#trim();
    this.version++;
  }

  /** Completes the open segment, if there is one, as it is. */
  closeSegment(): void {
    const segment = this.#open;
    if (segment === undefined) return;
    this.#complete(segment);
    this.#trim();
    this.version++;
  }

  /** The next segment's number, and the discontinuities before it, as in another rendition; nothing may be held, and numbers only rise. */
  continueAt(msn: number, discontinuitySequence: number): void {
    assert(this.#segments.length === 0 && msn >= this.#nextMsn, "numbers of an empty window rise");
    this.#nextMsn = msn;
    this.discontinuitySequence = discontinuitySequence;
  }

  /** Goes on where another is, which may still grow and is not seen any more: no number that was seen comes twice. Nothing may be held. */
  follow(before: Window): void {
    assert(this.#segments.length === 0 && this.#inits.size === 0, "an empty window follows");
    this.#nextMsn = before.#nextMsn;
    this.#nextInit = before.#nextInit;
    this.version = before.version + 1;
    this.targetDuration = before.targetDuration;
    this.discontinuitySequence = before.discontinuitySequence;
  }

  /** Lets all segments go; numbers go on. */
  clear(): void {
    this.closeSegment();
    while (this.#segments.length > 0) this.#evict();
    this.version++;
  }

  #complete(segment: OpenSegment): void {
    segment.complete = true;
    this.counters.segments++;
    const seconds = Math.round(segment.duration / 1_000_000);
    if (seconds > this.targetDuration) {
      this.targetDuration = seconds;
      this.counters.targetDurationRaised++;
    }
  }

  #trim(): void {
    let complete = this.#segments.length - this.#firstListed - (this.#open === undefined ? 0 : 1);
    while (complete > this.#options.segmentsMax && (complete > 4 * this.#options.segmentsMax || this.#mayShrink())) {
      if (this.#segments[this.#firstListed]!.discontinuity) this.discontinuitySequence++;
      this.#firstListed++;
      complete--;
    }
    while (this.#firstListed > this.#options.segmentsKept) this.#evict();
    while (this.bytesHeld > this.#options.bytesMax && this.#segments.length > 1) {
      if (this.#firstListed === 0) this.counters.evictedByBytes++;
      this.#evict();
    }
  }

  /** A segment must not leave while the rest lasts less than three target durations (RFC 8216bis section 6.2.2). */
  #mayShrink(): boolean {
    let left = 0;
    for (let i = this.#firstListed + 1; i < this.#segments.length; i++) left += this.#segments[i]!.duration;
    return left >= 3_000_000 * this.targetDuration;
  }

  #evict(): void {
    const segment = this.#segments.shift()!;
    this.bytesHeld -= segment.byteLength;
    if (this.#firstListed > 0) this.#firstListed--;
    else if (segment.discontinuity) this.discontinuitySequence++;
    const init = this.#segments[0]?.init ?? this.#nextInit - 1;
    for (const id of this.#inits.keys()) if (id < init) this.#inits.delete(id);
  }
}
