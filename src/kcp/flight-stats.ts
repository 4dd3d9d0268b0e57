/** What became of the segments that a rate controller let go. */
import type { Bytes } from "../base/units.ts";

export class FlightStats {
  /** Resends of segments whose earlier copy arrived after all. */
  needless = 0;
  /** Segments that arrived after later ones without being resent: rebuilt from parity, or reordered. */
  late = 0;
  /** Transmissions, those of them that did not arrive as far as known, and in how many runs. */
  transmissions = 0;
  gone = 0;
  runs = 0;
  lostByOrder = 0;
  lostByTime = 0;
  /** Bytes sent for the first time, and bytes given up as lost. */
  firstBytes: Bytes = 0;
  lostBytes: Bytes = 0;
}
