/**
 * Which renditions a channel's type gives (reference/aws-live.md 3): heights below the encoder's picture, never above it.
 *
 *   STANDARD      the encoder's own, and 480p, 360p, 160p (720p too below 1080p); sound is coded anew from 360p down
 *   ADVANCED_SD   at most 480p; sound of all renditions is coded anew
 *   ADVANCED_HD   at most 720p; likewise
 *
 * Deviations: AWS does not publish its rungs' bit rates; ours are measured against what x264 needs. The encoder's own rendition stays in ADVANCED too.
 * ADVANCED's rendition with sound alone is sound-alone.ts's.
 */
import type { BitsPerSecond } from "../../base/units.ts";

export interface Rung {
  /** In addresses: "480p". */
  readonly name: string;
  readonly height: number;
  readonly videoRate: BitsPerSecond;
  /** 0: as it came. */
  readonly audioRate: BitsPerSecond;
}

const heights: readonly (readonly [height: number, rate: BitsPerSecond])[] = [
  [720, 2_500_000],
  [480, 1_200_000],
  [360, 630_000],
  [160, 230_000],
];
/** CONSTRAINED_BANDWIDTH_DELIVERY. */
const CONSTRAINED_SHARE = 0.7;
const AUDIO_RATE: BitsPerSecond = 96_000;
const AUDIO_RATE_SMALL: BitsPerSecond = 64_000;
const RECODED_BELOW = 360;
const most: Readonly<Record<string, number>> = { STANDARD: 720, ADVANCED_SD: 480, ADVANCED_HD: 720 };

/** The largest first; none for BASIC. `height`: of the encoder's picture. */
export function ladder(type: string, preset: string, height: number): readonly Rung[] {
  const limit = most[type];
  if (limit === undefined) return [];
  const share = preset === "CONSTRAINED_BANDWIDTH_DELIVERY" ? CONSTRAINED_SHARE : 1;
  return heights
    .filter(([rung]) => rung <= limit && rung < height)
    .map(([rung, rate]) => ({
      name: `${rung}p`,
      height: rung,
      videoRate: Math.round(rate * share),
      audioRate: type !== "STANDARD" || rung <= RECODED_BELOW ? (rung <= RECODED_BELOW ? AUDIO_RATE_SMALL : AUDIO_RATE) : 0,
    }));
}
