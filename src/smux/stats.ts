/** Counters of one smux session; what is said of limits is how often they were hit. */
import type { Bytes } from "../base/units.ts";

export class SmuxStats {
  /** Streams opened by us, by the peer, and gone again. */
  opened = 0;
  accepted = 0;
  closed = 0;
  framesIn = 0;
  framesOut = 0;
  /** Payload. */
  bytesIn: Bytes = 0;
  bytesOut: Bytes = 0;
  /** Frames for streams that do not exist (any more), and payload thrown away with them. */
  unknownSid = 0;
  discardedBytes: Bytes = 0;
  /** SYN for a stream that exists. */
  duplicateSyn = 0;
  /** Limit hit: SYN of the peer refused; FIN for it lost because too many waited; `open` answered 0. */
  synRefused = 0;
  refusalsDropped = 0;
  openRefused = 0;
  /** Limit hit: times the bucket ran empty. */
  receivePauses = 0;
  /** Streams that stopped taking what they had received, windows told smaller for it, and streams ended because all others waited for them. */
  streamsStalled = 0;
  windowsShrunk = 0;
  streamsEvicted = 0;
  /** Bytes ignored because the session had failed. */
  bytesAfterFailure = 0;
}
