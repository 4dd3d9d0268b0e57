/**
 * Events to whoever asked for them: each is posted as EventBridge would show it, signed with the hook's secret, and again after a while when it was not taken.
 *
 *   POST <url>   x-longhaul-signature: t=<Unix seconds>,v1=<hex HMAC-SHA256 of "t.body">
 *
 * A hook that does not answer holds up nobody: what waits is bounded, the oldest is given up, and both are counted.
 */
import { createHmac } from "node:crypto";
import type { Log } from "../../host/log.ts";
import { arnOf, type Place } from "../ivs/arn.ts";
import type { StreamEvent } from "./events.ts";

export interface Webhook {
  readonly url: string;
  readonly secret: string;
}

const WAITING_MAX = 1000;
const ATTEMPTS_MAX = 8;
const FIRST_PAUSE_MS = 500;
const TIMEOUT_MS = 5000;

interface Posted {
  readonly body: string;
  readonly at: number;
}

export class Webhooks {
  readonly #hooks: readonly Hook[];
  readonly #place: Place;

  /** `pause`: milliseconds before the second attempt; each further one waits twice as long. */
  constructor(hooks: readonly Webhook[], place: Place, log: Log, pause = FIRST_PAUSE_MS) {
    this.#hooks = hooks.map((hook) => new Hook(hook, log, pause));
    this.#place = place;
  }

  get counters(): readonly Hook["counters"][] {
    return this.#hooks.map(({ counters }) => counters);
  }

  post(event: StreamEvent): void {
    if (this.#hooks.length === 0) return;
    const body = JSON.stringify(eventBridge(event, this.#place));
    for (const hook of this.#hooks) hook.post({ body, at: event.at });
  }

  /** Gives up what waits. */
  close(): void {
    for (const hook of this.#hooks) hook.close();
  }
}

class Hook {
  readonly #hook: Webhook;
  readonly #log: Log;
  readonly #waiting: Posted[] = [];
  readonly #stop = new AbortController();
  readonly #pause: number;
  #posting = false;
  readonly counters = { delivered: 0, retried: 0, givenUp: 0, dropped: 0 };

  constructor(hook: Webhook, log: Log, pause: number) {
    this.#pause = pause;
    this.#hook = hook;
    this.#log = log;
  }

  post(posted: Posted): void {
    if (this.#waiting.length >= WAITING_MAX) {
      this.#waiting.shift();
      this.counters.dropped++;
    }
    this.#waiting.push(posted);
    if (!this.#posting) void this.#drain();
  }

  close(): void {
    this.#waiting.length = 0;
    this.#stop.abort();
  }

  async #drain(): Promise<void> {
    this.#posting = true;
    for (let next = this.#waiting.shift(); next !== undefined && !this.#stop.signal.aborted; next = this.#waiting.shift())
      await this.#deliver(next);
    this.#posting = false;
  }

  async #deliver({ body, at }: Posted): Promise<void> {
    const seconds = Math.floor(at / 1000);
    const signature = createHmac("sha256", this.#hook.secret).update(`${seconds}.${body}`).digest("hex");
    const headers = { "content-type": "application/json", "x-longhaul-signature": `t=${seconds},v1=${signature}` };
    for (let attempt = 1; attempt <= ATTEMPTS_MAX && !this.#stop.signal.aborted; attempt++) {
      try {
        const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)]);
        const response = await fetch(this.#hook.url, { method: "POST", headers, body, signal, redirect: "error" });
        await response.body?.cancel();
        if (response.ok) {
          this.counters.delivered++;
          return;
        }
      } catch {
        // Not there now; it may be in a while.
      }
      this.counters.retried++;
      await pause(this.#pause * 2 ** (attempt - 1), this.#stop.signal);
    }
    this.counters.givenUp++;
    this.#log.warn({ url: new URL(this.#hook.url).origin, attempts: ATTEMPTS_MAX }, "an event was not taken by its webhook");
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
}

/** Where an event's detail has its name, where not in `event_name`. */
const nameIn: Partial<Record<StreamEvent["type"], string>> = {
  "IVS Limit Breach": "limit_name",
  "IVS Recording State Change": "recording_status",
};

/** The event in EventBridge's form. */
export function eventBridge({ at, channelId, channelName, streamId, type, name, code, detail }: StreamEvent, place: Place): object {
  return {
    version: "0",
    id: crypto.randomUUID(),
    "detail-type": type,
    source: "aws.ivs",
    account: place.account,
    time: new Date(at).toISOString(),
    region: place.region,
    resources: channelId === "" ? [] : [arnOf(place, "channel", channelId)],
    detail: {
      [nameIn[type] ?? "event_name"]: name,
      ...(channelId !== "" && { channel_name: channelName, stream_id: streamId }),
      ...(code !== undefined && { code }),
      ...detail,
    },
  };
}
