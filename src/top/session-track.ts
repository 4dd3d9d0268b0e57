/** One session over time: rates and losses from the differences of its counts. */
import type { SessionStatus } from "../metrics/status.ts";
import { Series } from "./series.ts";

/** Values kept for the bars, and reports looked back on for what is rare. */
const SERIES_MOST = 240;
const WINDOW = 10;

export class SessionTrack {
  status: SessionStatus;
  /** Payload, bits per second; smoothed round trip, ms. */
  readonly up = new Series(SERIES_MOST);
  readonly down = new Series(SERIES_MOST);
  readonly rtt = new Series(SERIES_MOST);
  readonly #window: SessionStatus[];

  constructor(status: SessionStatus) {
    this.status = status;
    this.#window = [status];
    this.rtt.push(rttOf(status));
  }

  /** `seconds` have passed since the last one. */
  update(status: SessionStatus, seconds: number): void {
    const before = this.status;
    this.status = status;
    this.#window.push(status);
    if (this.#window.length > WINDOW + 1) this.#window.shift();
    this.up.push(((status.sentPayloadBytes - before.sentPayloadBytes) * 8) / seconds);
    this.down.push(((status.receivedPayloadBytes - before.receivedPayloadBytes) * 8) / seconds);
    this.rtt.push(rttOf(status));
  }

  /** Share of the peer's data packets that did not come by themselves, lately; NaN where FEC tells nothing. */
  get loss(): number {
    const missing = this.#lately("fecRecovered") + this.#lately("fecLost");
    return share(missing, this.#lately("fecDataShards") + missing);
  }

  /** Share of what was lost that FEC rebuilt, since the session began. */
  get rebuilt(): number {
    const { fecRecovered, fecLost } = this.status;
    return share(fecRecovered, fecRecovered + fecLost);
  }

  /** Share of segments that were sent again, lately. */
  get resent(): number {
    return share(this.#lately("resentSegments"), this.#lately("sentSegments"));
  }

  /** Bytes on the wire for a byte of payload, both ways, lately. */
  get overhead(): number {
    const payload = this.#lately("sentPayloadBytes") + this.#lately("receivedPayloadBytes");
    return share(this.#lately("sentBytes") + this.#lately("receivedBytes"), payload);
  }

  #lately(count: CountOf): number {
    return this.status[count] - this.#window[0]![count];
  }
}

type CountOf = { [K in keyof SessionStatus]-?: SessionStatus[K] extends number ? K : never }[keyof SessionStatus];

/** Before the first sample there is none. */
function rttOf({ rttLeastMs, rttMs }: SessionStatus): number {
  return rttLeastMs < 0 ? Number.NaN : rttMs;
}

function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : Number.NaN;
}
