/** One process over time: its last status, its rates, and its sessions. */
import type { Status, StreamStatus } from "../metrics/status.ts";
import { Series } from "./series.ts";
import { SessionTrack } from "./session-track.ts";

const SERIES_MOST = 240;

export interface StreamTrack extends StreamStatus {
  /** Bits per second; NaN at first. */
  readonly up: number;
  readonly down: number;
}

export class ProcessTrack {
  /** Where its status comes from. */
  readonly address: string;
  status: Status | undefined;
  /** Why there is no newer one. */
  failure: string | undefined;
  /** Payload of all sessions, bits per second; round trips measured meanwhile, ms; processor, share of one core. */
  up = new Series(SERIES_MOST);
  down = new Series(SERIES_MOST);
  rtt = new Series(SERIES_MOST);
  cpu = new Series(SERIES_MOST);
  sessions = new Map<string, SessionTrack>();
  /** Of the session last asked for. */
  streams: readonly StreamTrack[] = [];

  constructor(address: string) {
    this.address = address;
  }

  failed(why: string): void {
    this.failure = why;
  }

  update(status: Status): void {
    const before = this.status;
    this.failure = undefined;
    if (before !== undefined && (before.pid !== status.pid || before.startedAt !== status.startedAt)) this.#forget();
    const known = this.status;
    const seconds = known === undefined ? 0 : (status.observedMs - known.observedMs) / 1000;
    this.status = status;
    if (known === undefined) this.#track(status, 0);
    else if (seconds > 0) {
      this.#measure(known, status, seconds);
      this.#track(status, seconds);
    }
    this.#trackStreams(status, seconds);
  }

  #measure(before: Status, status: Status, seconds: number): void {
    const count = ({ counters }: Status, counter: string): number => (counters.smux ?? counters.carrier)?.[counter] ?? 0;
    const rate = (counter: "bytesOut" | "bytesIn"): number => ((count(status, counter) - count(before, counter)) * 8) / seconds;
    this.up.push(rate("bytesOut"));
    this.down.push(rate("bytesIn"));
    this.cpu.push((status.cpuSeconds - before.cpuSeconds) / seconds);
    this.rtt.push((status.rtt.sumMs - before.rtt.sumMs) / (samples(status) - samples(before)));
  }

  #track({ sessions }: Status, seconds: number): void {
    const tracked = new Map<string, SessionTrack>();
    for (const session of sessions) {
      const track = this.sessions.get(session.key);
      if (track === undefined) tracked.set(session.key, new SessionTrack(session));
      else {
        track.update(session, seconds);
        tracked.set(session.key, track);
      }
    }
    this.sessions = tracked;
  }

  #trackStreams({ streams }: Status, seconds: number): void {
    const before = new Map(this.streams.map((stream) => [stream.sid, stream]));
    this.streams = streams.map((stream) => {
      const last = before.get(stream.sid);
      if (last === undefined || seconds <= 0) return { ...stream, up: last?.up ?? Number.NaN, down: last?.down ?? Number.NaN };
      const up = ((stream.sentBytes - last.sentBytes) * 8) / seconds;
      return { ...stream, up, down: ((stream.receivedBytes - last.receivedBytes) * 8) / seconds };
    });
  }

  /** Another process answers at the same address. */
  #forget(): void {
    this.status = undefined;
    this.sessions = new Map();
    this.streams = [];
    this.up = new Series(SERIES_MOST);
    this.down = new Series(SERIES_MOST);
    this.rtt = new Series(SERIES_MOST);
    this.cpu = new Series(SERIES_MOST);
  }
}

function samples({ rtt }: Status): number {
  return rtt.counts.reduce((sum, count) => sum + count, 0);
}
