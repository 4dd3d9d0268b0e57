/**
 * Watches one channel: tells when a stream begins and ends, whether it starves, and whether it keeps within the channel's type.
 *
 *   started ─▶ Session Created [Stream Takeover] ─▶ first media ─▶ Stream Start … Starvation Start/End … ─▶ Stream End, Session Ended
 *                                                └▶ it ends without media ─▶ Stream Failure, Session Ended
 *
 * Who takes a channel over is decided by priority (live/priority.ts), or comes when the encoder before has fallen silent.
 */
import type { Channel, ChannelListener } from "../../live/channel.ts";
import type { Track, Unit } from "../../media/unit.ts";
import type { Health } from "../ivs/live-service.ts";
import { randomId } from "../random-id.ts";
import type { EventType, StreamEvent } from "./events.ts";
import { type Breach, breach } from "./ingest-limits.ts";
import { sessionEndCodes } from "./multitrack-input.ts";

/** A stream without media for so long starves. */
const STARVING_MS = 2000;
const TAKEOVER_FAILURE_EVERY_MS = 60_000;
const STREAM_ID_RANDOM = 23;
/** What comes in is written down when it changes, at the end, and once in so many ticks. */
const TICKS_BETWEEN_REPORTS = 15;

export interface WatchOptions {
  /** What the channel is called, of which type it is, and how large a picture of multitrack video may be, now. */
  readonly facts: () => { readonly name: string; readonly type: string; readonly pixelsMax: number };
  /** Unix ms. */
  readonly now: () => number;
  readonly started: (streamId: string, at: number) => void;
  readonly ingest: (streamId: string, tracks: readonly Track[], rate: number) => void;
  readonly event: (event: StreamEvent) => void;
  readonly ended: (streamId: string, at: number) => void;
  /** The stream must not go on; `reason` in a word. */
  readonly breached: (which: Breach, reason: string) => void;
}

export class StreamWatch implements ChannelListener {
  readonly channel: Channel;
  readonly #options: WatchOptions;
  streamId = "";
  startedAt = 0;
  health: Health = "UNKNOWN";
  #lastUnit = 0;
  #flowing = false;
  #ticks = 0;
  #rate = 0;
  /** The stream that begins next takes over from another encoder. */
  #takesOver = false;
  #takeoverFailedAt = Number.NEGATIVE_INFINITY;

  constructor(channel: Channel, options: WatchOptions) {
    this.channel = channel;
    this.#options = options;
    channel.listeners.add(this);
  }

  started(): void {
    this.streamId = `st-${randomId(STREAM_ID_RANDOM)}`;
    this.startedAt = this.#options.now();
    this.health = "UNKNOWN";
    this.#flowing = false;
    this.#ticks = 0;
    this.#rate = 0;
    this.#options.started(this.streamId, this.startedAt);
    this.#event("IVS Stream State Change", "Session Created");
    if (this.#takesOver) this.#event("IVS Stream State Change", "Stream Takeover");
    this.#takesOver = false;
  }

  /** Another encoder gets the channel: its stream is about to begin. */
  takenOver(): void {
    this.#takesOver = true;
  }

  /** Another encoder wanted the channel and was refused; said once in a while, since it may try for ever. */
  takeoverRefused(byPriority: boolean): void {
    const now = this.#options.now();
    if (this.streamId === "" || now - this.#takeoverFailedAt < TAKEOVER_FAILURE_EVERY_MS) return;
    this.#takeoverFailedAt = now;
    this.#event("IVS Stream State Change", "Stream Takeover Failure", true, byPriority ? { code: "StreamTakeoverInvalidPriority" } : {});
  }

  tracks(tracks: readonly Track[]): void {
    this.#options.ingest(this.streamId, tracks, 0);
    this.#check(tracks, 0);
  }

  unit(_unit: Unit): void {
    this.#lastUnit = this.#options.now();
    if (this.#flowing) return;
    this.#flowing = true;
    this.health = "HEALTHY";
    this.#event("IVS Stream State Change", "Stream Start");
  }

  ended(reason: string): void {
    if (this.streamId === "") return;
    if (this.health === "STARVING") this.#event("IVS Stream Health Change", "Starvation End");
    this.#report();
    this.#event("IVS Stream State Change", this.#flowing ? "Stream End" : "Stream Failure", !this.#flowing);
    const code = sessionEndCodes.get(reason);
    this.#event("IVS Stream State Change", "Session Ended", code !== undefined, code === undefined ? {} : { code });
    this.#options.ended(this.streamId, this.#options.now());
    this.streamId = "";
  }

  /** Called about once a second. `monotonic` is the origin's clock. */
  tick(monotonic: number): void {
    if (this.streamId === "" || !this.#flowing) return;
    const starving = this.#options.now() - this.#lastUnit > STARVING_MS;
    if (starving !== (this.health === "STARVING")) {
      this.health = starving ? "STARVING" : "HEALTHY";
      this.#event("IVS Stream Health Change", starving ? "Starvation Start" : "Starvation End", starving);
    }
    const rate = this.channel.bitsPerSecond(monotonic);
    this.#rate = rate;
    if (++this.#ticks % TICKS_BETWEEN_REPORTS === 3) this.#report();
    this.#check(this.channel.tracks, rate);
  }

  close(): void {
    this.ended("");
    this.channel.listeners.delete(this);
  }

  #report(): void {
    this.#options.ingest(this.streamId, this.channel.tracks, this.#rate);
  }

  #check(tracks: readonly Track[], rate: number): void {
    const { type, pixelsMax } = this.#options.facts();
    const others = [...this.channel.others.values()];
    const pictures = others.length === 0 ? [] : [tracks, ...others.map((track) => [track])];
    const tooLarge = pictures.map((each) => breach(type, each, 0, pixelsMax)).find((each) => each !== undefined);
    const which = tooLarge ?? breach(type, tracks, rate);
    if (which === undefined) return;
    const { name, limit, exceededBy, unit } = which;
    this.#event("IVS Limit Breach", name, true, { detail: { limit_value: limit, exceeded_by: exceededBy, limit_unit: unit } });
    this.#options.breached(which, tooLarge === undefined ? "limit" : "pictures");
  }

  #event(type: EventType, name: string, error = false, more: Pick<StreamEvent, "code" | "detail"> = {}): void {
    const { facts, now, event } = this.#options;
    const about = { channelId: this.channel.name, channelName: facts().name, streamId: this.streamId };
    event({ at: now(), ...about, type, name, error, ...more });
  }
}
