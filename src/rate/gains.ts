/**
 * What the estimate is multiplied with: how fast packets leave, and how much may be in flight.
 *
 * Source: draft-ietf-ccwg-bbr sections 5.1.1 and 5.3.3, Linux net/ipv4/tcp_bbr.c.
 *
 * Deviation: beside others who keep a queue full less is in flight.
 */
export type State = "startup" | "drain" | "probe-bandwidth" | "probe-rtt";

const STARTUP_GAIN = 2.77;
const DRAIN_GAIN = 1 / STARTUP_GAIN;
export const WINDOW_GAIN = 2;
/** While a queue stands that others keep full: less of it is ours. */
const WINDOW_GAIN_CROWDED = 1.25;
const PROBE_RTT_GAIN = 0.5;
const CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1] as const;
export const CYCLE_PHASES = CYCLE.length;

/** `phase` counts in probe-bandwidth only. */
export function pacingGain(state: State, phase: number): number {
  switch (state) {
    case "startup":
      return STARTUP_GAIN;
    case "drain":
      return DRAIN_GAIN;
    case "probe-rtt":
      return 1;
    case "probe-bandwidth":
      return CYCLE[phase]!;
  }
}

export function windowGain(state: State, crowded: boolean): number {
  switch (state) {
    case "startup":
    case "drain":
      return STARTUP_GAIN;
    case "probe-rtt":
      return PROBE_RTT_GAIN;
    case "probe-bandwidth":
      return crowded ? WINDOW_GAIN_CROWDED : WINDOW_GAIN;
  }
}
