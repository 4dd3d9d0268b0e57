/**
 * When a busy loop lets datagrams gather before it looks at them, as network cards do with interrupts.
 *
 *   datagram every 5 µs ─► a round for two or three of them: a wake-up, calls of recvmmsg, send and epoll for next to nothing
 *                       ─► a pause of 0.3 ms first: a round for sixty
 *
 * Whoever sends one by one (kcptun, any path without GRO) pays for each time it wakes us, too. Below BUSY_MESSAGES in WINDOW_MS nothing ever waits: a burst
 * of an application's frame, a ping. What the kernel has joined counts as one message.
 *
 * Deviation from cards: the pause ends by time alone, since a pause that datagrams can end is what costs.
 */
import type { Millis } from "../base/units.ts";

// Tuning
const WINDOW_MS: Millis = 2;
/** In a window: 30 a millisecond, 320 Mbit/s of full packets. */
const BUSY_MESSAGES = 64;
/** Wanted in a round. */
const ROUND_MESSAGES = 96;
const PAUSE_MS_MAX: Millis = 0.3;
/** Shorter ones take longer than they are worth. */
const PAUSE_MS_MIN: Millis = 0.05;

export class Gathering {
  /** Messages received lately: each counts less as the window passes. In an array, as fractions in fields are new objects each time. */
  readonly #state = new Float64Array(2);
  #counted = 0;

  /** How long to pause before the next look, 0 = not at all; `received` counts messages since the beginning. */
  pause(now: Millis, received: number): Millis {
    const state = this.#state;
    const passed = now - state[1]!;
    const fresh = received - this.#counted;
    this.#counted = received;
    const recent = state[0]! * Math.max(0, 1 - passed / WINDOW_MS) + fresh;
    state[0] = recent;
    state[1] = now;
    if (recent < BUSY_MESSAGES || fresh >= ROUND_MESSAGES) return 0;
    const pause = Math.min(PAUSE_MS_MAX, ((ROUND_MESSAGES - fresh) * WINDOW_MS) / recent);
    return pause < PAUSE_MS_MIN ? 0 : pause;
  }
}
