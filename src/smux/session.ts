/**
 * A smux session, versions 1 and 2: many streams in one reliable byte stream (reference kcptun.md section 6).
 *
 *   open, finish, forget, consumed ─→ control frames ─→ transmit ──┐
 *                                                                  ├─→ byte stream of the session
 *   payload that already lies in the caller's buffer ─→ push ──────┘
 *
 *   byte stream of the session ─→ receive ─→ event: opened, data, finished, failed
 *
 * A pull model: the session keeps no payload. The caller reads a connection only when the layer below has room and `allowance` is above 0,
 * writes the data 8 bytes into its buffer and lets `push` put the header before it. Drain `transmit` before pushing: SYN goes before data.
 * FIN is sent in data order because the caller asks for it behind its last push.
 *
 * Flow control. Received bytes count against the session's budget (receive-budget.ts) until `consumed` returns them; when it is exhausted the
 * caller stops reading. In version 2 each stream has a window besides, at most streamBytes: the reader tells it at its first consumption and then
 * each half window, smaller ones while streams hold what they have received. Where a stream takes nothing although all others wait for it,
 * `overstayed` names it, for the caller to end it.
 *
 * Ends. FIN ends one direction; a stream is gone when both have ended and its bytes were consumed. The real kcptun has no half close:
 * at the first end of either side it closes the stream whole after its --closewait (0 in older versions), and discards what comes later
 * without ever opening the window again. So a half that idles should be forgotten by the caller after a time of its own.
 *
 * Descriptions. A SYN may carry a body, and one for a stream that exists describes it (event DESCRIBED), once both ends have agreed on it
 * elsewhere and `allowDescriptions` was called. Then a stream's description goes before its end.
 *
 * Deviations, none on the wire: SYN and UPD of many streams may leave in one call; a SYN that is refused (too many streams, or a sid of
 * our own side) is answered with FIN instead of blocking the session; a stream that claims more bytes consumed than sent ends the session;
 * windows of 2^31 and more count as 2^31 − 1; any byte counts as a sign of life, not only a header, so that one long frame over a thin link
 * does not kill the session.
 */
import { assert } from "../base/assert.ts";
import { ProtocolError } from "../base/errors.ts";
import { Ring } from "../base/ring.ts";
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import { CMD_FIN, CMD_NOP, CMD_PSH, CMD_SYN, CMD_UPD, HEADER_BYTES, putHeader } from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";
import { Liveness } from "./liveness.ts";
import type { SmuxOptions } from "./options.ts";
import { ReceiveBudget } from "./receive-budget.ts";
import { SmuxStats } from "./stats.ts";
import { INITIAL_WINDOW_BYTES, Stream } from "./stream.ts";

/** Values of `event`. */
export const NOTHING = 0;
export const OPENED = 1;
export const DATA = 2;
export const FINISHED = 3;
export const FAILED = 4;
export const DESCRIBED = 5;
export type SmuxEvent = typeof NOTHING | typeof OPENED | typeof DATA | typeof FINISHED | typeof FAILED | typeof DESCRIBED;

// Spec
const FRAME_BYTES_MAX = 65_535;
const SID_MAX = 0xffffffff;

// Tuning
/** Most bytes of control frames one call of `transmit` writes: less than a segment, and bounded work. */
const TRANSMIT_BYTES_MAX = 1024;
/** An UPD follows half a window at the latest: of a large one sooner, or a fast sender has half of it to go on with while the UPD is under way. */
const UPDATE_STEP_MAX: Bytes = 2_097_152;
/** Refused sids that wait for their FIN. */
const REFUSALS_MAX = 256;

export class SmuxSession {
  /** What the last `receive` or `advance` brought, and of which stream. */
  event: SmuxEvent = NOTHING;
  eventSid = 0;
  /** DATA: the payload is bytes[dataStart…dataEnd) of what was given to `receive`; borrowed. A large frame comes in several pieces. */
  dataStart = 0;
  dataEnd = 0;
  /** See `takeDescription`. */
  #description: Uint8Array | undefined;
  /** Set once, with the event FAILED: "smux.version", "smux.command", "smux.length", "smux.consumed" or "smux.timeout". */
  failure: ProtocolError | undefined;
  readonly stats = new SmuxStats();
  readonly #budget: ReceiveBudget;
  readonly #stallMs: Millis;
  readonly #frameBytes: Bytes;
  readonly #streamsMax: number;
  readonly #ownParity: 0 | 1;
  readonly #reader: FrameReader;
  readonly #liveness: Liveness;
  readonly #streams = new Map<number, Stream>();
  /** Streams with control frames to send, each once. */
  readonly #control: Ring<Stream>;
  readonly #refused = new Ring<number>(REFUSALS_MAX);
  #nextSid: number;
  /** Payload of the PSH under way that has not come yet, and whose it is. */
  #payloadLeft = 0;
  #payloadStream: Stream | undefined;

  constructor(options: SmuxOptions) {
    const { role, version, keepaliveMs = 10_000, timeoutMs = 30_000, receiveBytes = 4_194_304 } = options;
    const { streamBytes = 2_097_152, frameBytes = 8192, streamsMax = 1024, spillBytes = 0, stallMs = 0 } = options;
    assert(frameBytes >= 1 && frameBytes <= FRAME_BYTES_MAX, "frameBytes must be 1…65535");
    assert(receiveBytes >= 1 && streamBytes >= 1 && streamsMax >= 1, "limits must be above 0");
    this.#frameBytes = frameBytes;
    this.#streamsMax = streamsMax;
    this.#budget = new ReceiveBudget(receiveBytes, spillBytes, streamBytes, this.stats);
    this.#stallMs = stallMs;
    this.#ownParity = role === "client" ? 1 : 0;
    this.#nextSid = role === "client" ? 3 : 2;
    this.#reader = new FrameReader(version === "any" ? 0 : version);
    this.#liveness = new Liveness(keepaliveMs, timeoutMs);
    this.#control = new Ring(streamsMax);
  }

  /** 0 while it is "any" and no frame has come. */
  get version(): 0 | 1 | 2 {
    return this.#reader.version as 0 | 1 | 2;
  }

  /** Streams that are open or still account for something. */
  get streams(): number {
    return this.#streams.size;
  }

  /** The budget is exhausted: the caller stops reading the layer below. What it has read already may still be given to `receive`. */
  get receivePaused(): boolean {
    return this.#budget.exhausted;
  }

  /** Payload bytes that may be given to `receive` before `receivePaused`; 0 or less when it is. */
  get receiveRoom(): Bytes {
    return this.#budget.room;
  }

  /** After OPENED, DESCRIBED: the body of the SYN, if it had one; once. */
  takeDescription(): Uint8Array | undefined {
    const description = this.#description;
    this.#description = undefined;
    return description;
  }

  /** Lets the peer describe streams with at most `bytesMax` bytes. We may, in at most 512, when it lets us. */
  allowDescriptions(bytesMax: Bytes): void {
    this.#reader.allowSynBody(bytesMax);
  }

  /** Describes a stream that is open, ours or the peer's. */
  describe(_now: Millis, sid: number, description: Uint8Array): void {
    const stream = this.#streams.get(sid);
    if (stream === undefined || stream.finished) return;
    stream.description = description;
    this.#queue(stream);
  }

  /** Opens a stream and queues its SYN. Answers its sid, or 0 when sids are exhausted, streamsMax is reached or the session has failed. */
  open(_now: Millis, description?: Uint8Array): number {
    if (this.failure !== undefined || this.version === 0 || this.#nextSid > SID_MAX || this.#streams.size >= this.#streamsMax) {
      this.stats.openRefused++;
      return 0;
    }
    const stream = new Stream(this.#nextSid, false);
    stream.description = description;
    this.#nextSid += 2;
    this.#add(stream);
    this.#queue(stream);
    this.stats.opened++;
    return stream.sid;
  }

  /** Payload bytes the stream may send in `frames` pushes now, at most frameBytes each. 0 until its SYN was transmitted, when the window is shut or it has ended. */
  allowance(sid: number, frames = 1): Bytes {
    const stream = this.#streams.get(sid);
    if (stream === undefined || !stream.established || stream.finished || this.failure !== undefined) return 0;
    const most = frames * this.#frameBytes;
    return this.version === 1 ? most : Math.max(0, Math.min(most, stream.windowLeft));
  }

  /** Puts the header of a frame with `n` bytes of payload, 1…allowance(sid), at `offset`; the payload goes behind it. Answers the frame's length. */
  push(sid: number, view: DataView, offset: number, n: Bytes): Bytes {
    assert(n >= 1 && n <= this.allowance(sid), "push beyond the allowance, or before the SYN was transmitted");
    putHeader(view, offset, this.version, CMD_PSH, n, sid);
    this.#streams.get(sid)!.wrote(n);
    this.stats.framesOut++;
    this.stats.bytesOut += n;
    return HEADER_BYTES + n;
  }

  /** Ends our direction: queues FIN. Without effect when it has ended already. */
  finish(_now: Millis, sid: number): void {
    const stream = this.#streams.get(sid);
    if (stream === undefined || stream.finished) return;
    stream.finished = true;
    this.#queue(stream);
  }

  /** Ends both directions: FIN is queued unless it was asked for before, what was not consumed is given back, what still comes is discarded. */
  forget(now: Millis, sid: number): void {
    const stream = this.#streams.get(sid);
    if (stream === undefined || stream.forgotten) return;
    stream.forgotten = true;
    this.#credit(stream, stream.held);
    this.finish(now, sid);
    this.#removeIfOver(stream);
  }

  /** The application took `n` payload bytes of the stream. Of a stream that is forgotten, they were given back before. */
  consumed(_now: Millis, sid: number, n: Bytes): void {
    const stream = this.#streams.get(sid);
    if (stream === undefined || stream.forgotten) return;
    assert(n >= 0 && n <= stream.held, "consumed more than was received");
    if (n === 0) return;
    this.#credit(stream, n);
    if (this.version === 2) {
      stream.consume(n, stream.shrunk ? 0 : Math.min(stream.told / 2, UPDATE_STEP_MAX));
      stream.shrunk = false;
      if (stream.controlPending) this.#queue(stream);
    }
    this.#removeIfOver(stream);
  }

  /** Writes whole control frames to into[offset…limit). Answers the bytes written; 0 = drained, or no room for the next frame (16 bytes do, 8 more than the longest description where there are any). */
  transmit(_now: Millis, into: Uint8Array, view: DataView, offset: number, limit: number): Bytes {
    if (this.failure !== undefined || this.version === 0) return 0;
    const end = Math.min(limit, into.length, offset + TRANSMIT_BYTES_MAX);
    let at = offset;
    if (this.#liveness.nopPending && at + HEADER_BYTES <= end) {
      at = this.#put(view, at, CMD_NOP, 0);
      this.#liveness.nopPending = false;
    }
    while (this.#refused.length > 0 && at + HEADER_BYTES <= end) at = this.#put(view, at, CMD_FIN, this.#refused.shift()!);
    for (let stream = this.#control.at(0); stream !== undefined; stream = this.#control.at(0)) {
      while (stream.controlPending) {
        const window = stream.updateNext ? this.#budget.window(stream) : 0;
        const length = stream.transmitControl(view, at, end, this.version, window);
        if (length === 0) return at - offset;
        if (window > 0) this.#budget.promise(stream, window);
        at += length;
        this.stats.framesOut++;
      }
      this.#control.shift();
      stream.queued = false;
      this.#removeIfOver(stream);
    }
    return at - offset;
  }

  /**
   * Consumes bytes[start…end) up to one event, which is then told by `event`, `eventSid`, `dataStart` and `dataEnd`. Answers the bytes
   * consumed, at least 1 unless there are none. After a failure everything is consumed.
   */
  receive(_now: Millis, bytes: Uint8Array, start: number, end: number): number {
    this.event = NOTHING;
    if (this.failure !== undefined) {
      this.stats.bytesAfterFailure += end - start;
      return end - start;
    }
    if (start < end) this.#liveness.heard = true;
    const reader = this.#reader;
    let at = start;
    while (at < end && this.event === NOTHING) {
      if (this.#payloadLeft > 0) {
        at = this.#receivePayload(at, end);
        continue;
      }
      at += reader.receive(bytes, at, end);
      if (reader.fault !== undefined) this.#fail(reader.fault, `invalid header: cmd ${reader.cmd}, length ${reader.length}`);
      else if (reader.takeWhole()) this.#receiveFrame(reader);
    }
    return at - start;
  }

  /** Another keepaliveMs from now on. */
  keepalive(now: Millis, ms: Millis): void {
    this.#liveness.keepalive(now, ms);
  }

  /** Does what is due: keepalive, death of the peer (event FAILED). The first call sets the clock. */
  advance(now: Millis): void {
    this.event = NOTHING;
    if (this.failure !== undefined) return;
    // Nothing can be heard while we do not listen.
    if (this.receivePaused) this.#liveness.heard = true;
    if (!this.#liveness.advance(now)) this.#fail("smux.timeout", "nothing was heard from the peer");
    if (this.#budget.due(now)) this.#budget.look(now, this.#streams, this.#shrink);
  }

  /** The stream to `forget` so that the others go on: it has taken nothing for stallMs, and the budget is exhausted. 0 = none. Ask after `advance`. */
  overstayed(): number {
    if (this.#stallMs === 0 || !this.receivePaused) return 0;
    return this.#budget.worst(this.#streams, this.#stallMs)?.sid ?? 0;
  }

  deadline(): Millis {
    return this.failure === undefined ? Math.min(this.#liveness.deadline(), this.#budget.deadline()) : NEVER;
  }

  #receiveFrame(reader: FrameReader): void {
    this.stats.framesIn++;
    const { cmd, sid } = reader;
    if (cmd === CMD_NOP) return;
    const stream = this.#streams.get(sid);
    if (cmd === CMD_SYN) {
      this.#description = reader.synBody();
      if (stream === undefined) this.#accept(sid);
      else if (this.#description === undefined || stream.forgotten) this.stats.duplicateSyn++;
      else {
        this.event = DESCRIBED;
        this.eventSid = sid;
      }
    } else if (cmd === CMD_PSH) {
      this.#payloadLeft = reader.length;
      this.#payloadStream = stream;
      if (stream === undefined) this.stats.unknownSid++;
    } else if (stream === undefined) this.stats.unknownSid++;
    else if (cmd === CMD_UPD) {
      if (!stream.peerUpdated(reader.consumed, reader.window)) this.#fail("smux.consumed", `stream ${sid}: more consumed than sent`);
    } else this.#receiveFin(stream);
  }

  #receiveFin(stream: Stream): void {
    const told = stream.receiving;
    stream.finReceived = true;
    if (told) {
      this.event = FINISHED;
      this.eventSid = stream.sid;
    }
    this.#removeIfOver(stream);
  }

  #receivePayload(at: number, end: number): number {
    const n = Math.min(this.#payloadLeft, end - at);
    const stream = this.#payloadStream;
    this.#payloadLeft -= n;
    if (this.#payloadLeft === 0) this.#payloadStream = undefined;
    if (stream === undefined || !stream.receiving) {
      this.stats.discardedBytes += n;
      return at + n;
    }
    const paused = this.receivePaused;
    this.#budget.received(stream, n);
    if (!paused && this.receivePaused) this.stats.receivePauses++;
    this.stats.bytesIn += n;
    this.event = DATA;
    this.eventSid = stream.sid;
    this.dataStart = at;
    this.dataEnd = at + n;
    return at + n;
  }

  #accept(sid: number): void {
    if (sid === 0 || (sid & 1) === this.#ownParity || this.#streams.size >= this.#streamsMax) {
      this.stats.synRefused++;
      if (!this.#refused.push(sid)) this.stats.refusalsDropped++;
      return;
    }
    this.#add(new Stream(sid, true));
    this.stats.accepted++;
    this.event = OPENED;
    this.eventSid = sid;
  }

  #put(view: DataView, at: number, cmd: number, sid: number): number {
    putHeader(view, at, this.version, cmd, 0, sid);
    this.stats.framesOut++;
    return at + HEADER_BYTES;
  }

  #queue(stream: Stream): void {
    if (stream.queued) return;
    stream.queued = this.#control.push(stream);
    assert(stream.queued, "more streams with control frames than streams");
  }

  #credit(stream: Stream, n: Bytes): void {
    if (n > 0 && this.receivePaused) this.#liveness.heard = true;
    this.#budget.consumed(stream, n);
  }

  #add(stream: Stream): void {
    this.#streams.set(stream.sid, stream);
    this.#budget.opened(stream, this.version === 2 ? INITIAL_WINDOW_BYTES : 0);
  }

  readonly #shrink = (stream: Stream): void => {
    stream.update();
    if (stream.controlPending) this.#queue(stream);
  };

  #removeIfOver(stream: Stream): void {
    if (!stream.over || stream.queued || this.#streams.get(stream.sid) !== stream) return;
    this.#streams.delete(stream.sid);
    this.#budget.closed(stream);
    this.stats.closed++;
  }

  #fail(code: string, message: string): void {
    this.failure = new ProtocolError(code, message);
    this.event = FAILED;
    this.eventSid = 0;
  }
}
