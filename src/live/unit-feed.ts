/** What an encoder's bytes became goes to its channel: tracks together, video first; units; and a refusal where a codec is none that viewers get. */
import type { Millis } from "../base/units.ts";
import type { Log } from "../host/log.ts";
import { codecSupported } from "../media/cmaf/sample-entry.ts";
import { statusCode } from "../media/rtmp/command.ts";
import type { Track, UnitEvent } from "../media/unit.ts";
import type { Channel } from "./channel.ts";
import type { Refusal } from "./publisher.ts";

export interface UnitInput {
  event(): UnitEvent | undefined;
}

export class UnitFeed {
  readonly channel: Channel;
  readonly #log: Log;
  readonly #refuse: (now: Millis, refusal: Refusal) => void;
  #tracks: readonly Track[] = [];

  /** `refuse` ends the encoder's stream. */
  constructor(channel: Channel, log: Log, refuse: (now: Millis, refusal: Refusal) => void) {
    this.channel = channel;
    this.#log = log;
    this.#refuse = refuse;
  }

  take(now: Millis, input: UnitInput): void {
    for (let event = input.event(); event !== undefined; event = input.event()) {
      if (event.kind === "unit") this.channel.push(now, event.unit);
      else if (event.kind === "track") this.#configure(now, event.track);
      else this.#refuse(now, { code: statusCode.failed, reason: event.error.code, description: event.error.message });
    }
  }

  #configure(now: Millis, track: Track): void {
    if (!codecSupported(track.codec)) {
      this.#refuse(now, { code: statusCode.failed, reason: "codec", description: `${track.kind} codec ${track.codec} is not supported` });
      return;
    }
    // Video first, so that a repeated announcement in another order is no change.
    const others = this.#tracks.filter(({ kind }) => kind !== track.kind);
    this.#tracks = track.kind === "video" ? [track, ...others] : [...others, track];
    this.channel.configure(this.#tracks);
    const { kind, codec } = track;
    const size = track.kind === "video" ? { width: track.width, height: track.height } : { sampleRate: track.sampleRate };
    this.#log.info({ channel: this.channel.name, kind, codec, ...size }, "track");
  }
}
