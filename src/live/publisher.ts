/** Who puts media on a channel, whatever protocol it speaks: the origin lets one in at a time (origin.ts). */
import type { Millis } from "../base/units.ts";

/** Why a publisher is turned away: the status for it, a word for the counter, a sentence for both. */
export interface Refusal {
  readonly code: string;
  readonly reason: string;
  readonly description: string;
}

/** What a channel takes of multitrack video. */
export interface MultitrackRules {
  /** "required": a stream with one picture is refused. */
  readonly policy: "none" | "allowed" | "required";
  /** Of the largest picture. */
  readonly pixelsMax: number;
  /** Pictures of one stream. */
  readonly tracksMax: number;
}

export interface Publisher {
  /** Where it comes from, without a port. */
  readonly address: string;
  /** Nobody between it and us reads its media or its key. */
  readonly secure: boolean;
  /** "rtmp", "rtmps", "whip", "srt". */
  readonly protocol: string;
  /** When something last came of it. */
  readonly heard: Millis;
  /** Turns it away in the midst of its stream; harmless when it went already. */
  refuse(now: Millis, refusal: Refusal): void;
}
