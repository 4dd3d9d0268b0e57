/**
 * The server's clock as seen from here. Each answer carries the time at which it was written; the way there and back is taken to last equally long, and
 * of the last answers the one with the shortest way is believed.
 */
export class ServerClock {
  readonly #samples: { readonly offset: number; readonly rtt: number }[] = [];
  #offset = 0;
  /** Round trip of the believed sample, ms. */
  rttMs = 0;

  /** Fetches JSON with a `now` member (Unix ms). Throws what fetch throws. */
  async sample<T extends { readonly now: number }>(url: string, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    const sent = performance.now();
    const response = await fetch(url, { cache: "no-store", headers });
    const received = performance.now();
    if (!response.ok) throw new Error(`status ${response.status}`);
    const body = (await response.json()) as T;
    this.#samples.push({ offset: body.now - (sent + received) / 2, rtt: received - sent });
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
    const best = this.#samples.reduce((a, b) => (b.rtt < a.rtt ? b : a));
    this.#offset = best.offset;
    this.rttMs = best.rtt;
    return body;
  }

  /** Unix milliseconds on the server's clock, now. */
  now(): number {
    return performance.now() + this.#offset;
  }
}

/** Long enough to catch a quick answer, short enough to follow a drifting clock. */
const SAMPLES_MAX = 16;
