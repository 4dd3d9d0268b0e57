import type { Bytes } from "../base/units.ts";

/** What a segment takes on the path, about: thresholds are counted in it, and bytes turned into segments where nobody counts those. */
export const SEGMENT_BYTES: Bytes = 1400;
