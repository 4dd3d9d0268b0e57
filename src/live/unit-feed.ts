/** What an encoder's bytes became goes to its channel: tracks together, video first; units; and a refusal where a codec is none that viewers get. */
import type { Millis } from "../base/units.ts";
import type { Log } from "../host/log.ts";
import { codecSupported } from "../media/cmaf/sample-entry.ts";
import { statusCode } from "../media/rtmp/command.ts";
import type { AudioTrack, Track, Unit, UnitEvent, VideoTrack } from "../media/unit.ts";
import type { Channel } from "./channel.ts";
import { Multitrack } from "./multitrack.ts";
import type { Refusal } from "./publisher.ts";

export interface UnitInput {
  event(): UnitEvent | undefined;
}

export class UnitFeed {
  readonly channel: Channel;
  readonly #log: Log;
  readonly #refuse: (now: Millis, refusal: Refusal) => void;
  readonly #picturesLeast: number;
  /** By track id. */
  readonly #pictures = new Map<number, VideoTrack>();
  #sound: AudioTrack | undefined;
  /** Track id of the channel's own picture: the lowest of those that were there before the first frame. */
  #own = Number.POSITIVE_INFINITY;
  #began = false;
  /** Of several pictures. */
  #multitrack: Multitrack | undefined;

  /** `refuse` ends the encoder's stream; `picturesLeast`: it does where fewer come. */
  constructor(channel: Channel, log: Log, refuse: (now: Millis, refusal: Refusal) => void, picturesLeast = 1) {
    this.channel = channel;
    this.#log = log;
    this.#refuse = refuse;
    this.#picturesLeast = picturesLeast;
  }

  take(now: Millis, input: UnitInput): void {
    for (let event = input.event(); event !== undefined; event = input.event()) {
      if (event.kind === "unit") this.#push(now, event.unit, event.trackId);
      else if (event.kind === "track") this.#configure(now, event.track, event.trackId);
      else this.#refuse(now, { code: statusCode.failed, reason: event.error.code, description: event.error.message });
    }
  }

  /** The encoder's stream ends; whoever gave the channel has ended that, with all its renditions on the air: a recording chooses among them. */
  end(now: Millis): void {
    this.#multitrack?.end(now);
  }

  #push(now: Millis, unit: Unit, trackId: number): void {
    if (unit.kind === "video" && !this.#began) this.#begin(now);
    if (unit.kind === "video" && trackId !== this.#own) {
      this.#multitrack?.other(now, trackId, unit);
      return;
    }
    this.channel.push(now, unit);
    this.#multitrack?.own(now, unit);
  }

  /** The first frame: all pictures have said what they are, as encoders do. */
  #begin(now: Millis): void {
    this.#began = true;
    if (this.#pictures.size >= this.#picturesLeast) return;
    const description = "this channel takes multitrack video only (multitrackInputConfiguration: REQUIRE), and one picture came";
    this.#refuse(now, { code: statusCode.failed, reason: "multitrack", description });
  }

  #configure(now: Millis, track: Track, trackId: number): void {
    if (!codecSupported(track.codec)) {
      this.#refuse(now, { code: statusCode.failed, reason: "codec", description: `${track.kind} codec ${track.codec} is not supported` });
      return;
    }
    if (track.kind === "audio") {
      this.#sound = track;
      this.#configureOwn();
      if (this.#multitrack !== undefined) this.#multitrack.sound = track;
    } else this.#configurePicture(track, trackId);
    const { kind, codec } = track;
    const size = track.kind === "video" ? { width: track.width, height: track.height } : { sampleRate: track.sampleRate };
    const which = this.#pictures.size > 1 && kind === "video" ? { track: trackId } : {};
    this.#log.info({ channel: this.channel.name, kind, codec, ...size, ...which }, "track");
  }

  #configurePicture(track: VideoTrack, trackId: number): void {
    this.#pictures.set(trackId, track);
    const before = this.#own;
    if (!this.#began) this.#own = Math.min(before, trackId);
    if (trackId === this.#own || before !== this.#own) this.#configureOwn();
    if (this.#pictures.size === 1) return;
    this.channel.encodings = this.#pictures.size;
    if (this.#multitrack === undefined) {
      this.#multitrack = new Multitrack(this.channel, this.#log);
      this.#multitrack.sound = this.#sound;
    }
    for (const [id, other] of this.#pictures)
      if (id !== this.#own && (id === trackId || id === before)) this.#multitrack.configure(id, other);
  }

  /** Video first, so that a repeated announcement in another order is no change. */
  #configureOwn(): void {
    const picture = this.#pictures.get(this.#own);
    const tracks: Track[] = picture === undefined ? [] : [picture];
    if (this.#sound !== undefined) tracks.push(this.#sound);
    this.channel.configure(tracks);
  }
}
