/** What a flush works on: the parts of one conversation. */
import type { Millis } from "../base/units.ts";
import type { AckList } from "./ack-list.ts";
import type { Congestion } from "./congestion.ts";
import type { Credit } from "./credit.ts";
import type { Flight } from "./flight.ts";
import type { Probe } from "./probe.ts";
import type { ReceiveWindow } from "./receive-window.ts";
import type { Rtt } from "./rtt.ts";
import type { SendWindow } from "./send-window.ts";
import type { KcpStats } from "./stats.ts";

export interface FlushParts {
  readonly conv: number;
  readonly mtu: number;
  readonly sndWnd: number;
  readonly nodelay: 0 | 1;
  readonly interval: Millis;
  /** Fast resend threshold, Infinity for none. */
  readonly resend: number;
  readonly resendOncePerTimeout: boolean;
  readonly send: SendWindow;
  readonly receive: ReceiveWindow;
  readonly acks: AckList;
  readonly probe: Probe;
  readonly rtt: Rtt;
  readonly congestion: Congestion;
  readonly stats: KcpStats;
  /** Decides what is lost, where a rate controller does. */
  readonly flight: Flight | undefined;
  /** A packet of one full segment is written where the segment's data are kept, when that is the caller's buffer too. */
  readonly inPlace: boolean;
  /** Bounds the window that is told. */
  readonly credit: Credit | undefined;
}
