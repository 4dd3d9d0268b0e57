/**
 * Which renditions a recording configuration selects by the heights of their pictures: LOWEST_RESOLUTION up to 360, SD up to 480, HD up to 720, FULL_HD above. Where none is of
 * a selected size, the best there is stands in for it.
 *
 * Source: IVS's "Auto-Record to Amazon S3", "Discovering the Renditions of a Recording". Deviation: FULL_HD has no upper end.
 */
import type { RecordingSettings } from "../ivs/recording-configurations.ts";

type Selection = RecordingSettings["renditionConfiguration"];

/** `height` of a rendition out of `heights`, all that there are; 0: sound alone, which has no size and is recorded with all or where there is nothing else. */
export function selected({ renditionSelection, renditions }: Selection, height: number, heights: readonly number[]): boolean {
  if (renditionSelection !== "CUSTOM") return renditionSelection === "ALL";
  const pictures = heights.filter((each) => each > 0);
  if (height > 0 && renditions.includes(sizeOf(height))) return true;
  const missing = renditions.some((size) => pictures.every((each) => sizeOf(each) !== size));
  return missing && height === Math.max(0, ...pictures);
}

function sizeOf(height: number): Selection["renditions"][number] {
  if (height <= 360) return "LOWEST_RESOLUTION";
  if (height <= 480) return "SD";
  return height <= 720 ? "HD" : "FULL_HD";
}
