/**
 * Stream sessions and their events, written to the store in the order in which they happened, behind the origin's back: encoders never wait for a database.
 * What waits is bounded; what does not fit is counted and said once.
 */
import type { Log } from "../../host/log.ts";
import type { Database } from "../store/database.ts";
import type { StreamEvent } from "./events.ts";

const WAITING_MAX = 10_000;
/** After one of these nothing is written into a recording. */
const RECORDING_ENDS = ["Recording End", "Recording End Failure", "Recording Start Failure"];

export interface SessionStart {
  readonly id: string;
  readonly channelId: string;
  /** Unix ms. */
  readonly startAt: number;
  /** The channel as it was, JSON. */
  readonly channel: string;
}

export interface RecordedSession {
  /** The RecordingConfiguration as the API shows it. */
  readonly configuration: object;
  readonly bucket: string;
  readonly prefix: string;
}

export class SessionLog {
  readonly #database: Database;
  readonly #log: Log;
  readonly #waiting: (() => Promise<unknown>)[] = [];
  #writing: Promise<void> | undefined;
  readonly counters = { written: 0, failed: 0, dropped: 0 };

  constructor(database: Database, log: Log) {
    this.#database = database;
    this.#log = log;
  }

  /**
   * Ends what a process that died left open; answers what recordings it may have left, those of streams that had ended included: a recording ends behind its stream, of
   * a channel the latest. `now` in Unix ms.
   */
  async closeLeftOvers(now: number): Promise<RecordedSession[]> {
    const open = await this.#database
      .selectFrom("stream_sessions as session")
      .select("session.recording")
      .where("session.recording", "!=", "")
      .where((is) => {
        const latest = is
          .selectFrom("stream_sessions as other")
          .select(({ fn }) => fn.max("other.start_at").as("at"))
          .whereRef("other.channel_id", "=", "session.channel_id")
          .where("other.recording", "!=", "");
        const told = is
          .selectFrom("stream_events as event")
          .select("event.id")
          .whereRef("event.session_id", "=", "session.id")
          .where("event.name", "in", RECORDING_ENDS);
        return is.or([is("session.end_at", "=", 0), is.and([is("session.start_at", "=", latest), is.not(is.exists(told))])]);
      })
      .execute();
    await this.#database.updateTable("stream_sessions").set({ end_at: now, has_error_event: 1 }).where("end_at", "=", 0).execute();
    return open.map(({ recording }) => JSON.parse(recording) as RecordedSession);
  }

  started({ id, channelId, startAt, channel }: SessionStart): void {
    const row = { id, channel_id: channelId, start_at: startAt, end_at: 0, channel, ingest: "", recording: "", has_error_event: 0 };
    this.#later(() => this.#database.insertInto("stream_sessions").values(row).execute());
  }

  /** What came in, JSON. */
  ingest(id: string, ingest: string): void {
    this.#later(() => this.#database.updateTable("stream_sessions").set({ ingest }).where("id", "=", id).execute());
  }

  recorded(id: string, session: RecordedSession): void {
    const recording = JSON.stringify(session);
    this.#later(() => this.#database.updateTable("stream_sessions").set({ recording }).where("id", "=", id).execute());
  }

  ended(id: string, at: number): void {
    this.#later(() => this.#database.updateTable("stream_sessions").set({ end_at: at }).where("id", "=", id).execute());
  }

  event({ streamId, at, name, type, code = "", error = false }: StreamEvent): void {
    if (streamId === "") return;
    const row = { session_id: streamId, at, name, type, code };
    this.#later(() => this.#database.insertInto("stream_events").values(row).execute());
    if (error)
      this.#later(() => this.#database.updateTable("stream_sessions").set({ has_error_event: 1 }).where("id", "=", streamId).execute());
  }

  /** All that was handed over so far is stored, or has failed. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  #later(write: () => Promise<unknown>): void {
    if (this.#waiting.length >= WAITING_MAX) {
      if (this.counters.dropped++ === 0) this.#log.error({ waiting: WAITING_MAX }, "the store is too slow: events of streams are lost");
      return;
    }
    this.#waiting.push(write);
    this.#writing ??= this.#drain();
  }

  async #drain(): Promise<void> {
    // Whoever hands over goes on first.
    await Promise.resolve();
    for (let write = this.#waiting.shift(); write !== undefined; write = this.#waiting.shift()) {
      try {
        await write();
        this.counters.written++;
      } catch (error) {
        this.counters.failed++;
        this.#log.error({ error: (error as Error).message }, "an event of a stream could not be stored");
      }
    }
    this.#writing = undefined;
  }
}
