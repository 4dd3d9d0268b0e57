/**
 * Writes an edge's flow logs: every minute what flows carried (flow-log.ts), every five minutes a compressed file for each accelerator, named as AWS names them.
 *
 *   PREFIX/AWSLogs/ACCOUNT/globalaccelerator/REGION/2026/11/21/ACCOUNT_globalaccelerator_ACCELERATOR_FLOWLOG_20261121T2005Z_HASH.log.gz
 *
 * What waits is bounded; a store that does not take a file is counted and told of, and the file is lost. The bucket is the accelerator's.
 */
import { textHash } from "../base/text-hash.ts";
import type { Millis } from "../base/units.ts";
import { gzip } from "../host/gzip.ts";
import type { Log } from "../host/log.ts";
import type { EdgeConfig, FlowLogs } from "./edge-config.ts";
import { emptyLine, FlowLedger, HEADER } from "./flow-log.ts";
import type { FlowObservation } from "./observation.ts";

/** Where files go: a folder, a store that speaks S3. */
export interface FlowLogStore {
  put(bucket: string, key: string, bytes: Uint8Array): Promise<void>;
}

export interface FlowLoggerOptions {
  readonly store: FlowLogStore;
  readonly log: Log;
  /** This edge's, in the lines. No blanks. */
  readonly name: string;
  /** Unix ms. */
  readonly now: () => number;
  readonly config: () => EdgeConfig;
  /** Of accelerators with flow logs: what runs, and what has ended since the last call. */
  readonly logged: () => Promise<{
    readonly running: readonly FlowObservation[];
    readonly ended: readonly FlowObservation[];
    readonly skipped: number;
  }>;
  readonly windowMs?: Millis;
  readonly fileMs?: Millis;
}

/** As AWS has them. */
const WINDOW_MS: Millis = 60_000;
const FILE_MS: Millis = 300_000;
/** A file is written before its time when it has grown to so many characters, before compression. */
const FILE_CHARACTERS_MAX = 75_000_000;
/** The service's home, which is part of the names. */
const REGION = "us-west-2";

export class FlowLogger {
  readonly counters = { flowLogLines: 0, flowLogFiles: 0, flowLogFilesLost: 0, flowLogFlowsSkipped: 0 };
  readonly #options: FlowLoggerOptions;
  readonly #ledger = new FlowLedger();
  readonly #files = new Map<string, { readonly settings: FlowLogs; lines: string[]; characters: number }>();
  readonly #timer: NodeJS.Timeout;
  #from: number;
  #fileAt: number;
  #working: Promise<void> = Promise.resolve();

  constructor(options: FlowLoggerOptions) {
    this.#options = options;
    this.#from = options.now();
    this.#fileAt = this.#from + (options.fileMs ?? FILE_MS);
    this.#timer = setInterval(() => this.#next(false), options.windowMs ?? WINDOW_MS);
    this.#timer.unref();
  }

  /** Writes what there is. */
  close(): Promise<void> {
    clearInterval(this.#timer);
    return this.#next(true);
  }

  /** One window after another. */
  #next(last: boolean): Promise<void> {
    this.#working = this.#working
      .then(() => this.#round(last))
      .catch((error: Error) => {
        this.#options.log.error({ reason: error.message }, "flow logs of a window are lost");
      });
    return this.#working;
  }

  async #round(last: boolean): Promise<void> {
    const { config, logged, name, now } = this.#options;
    const settings = new Map(
      config().accelerators.flatMap(({ id, enabled, flowLogs }) => (enabled && flowLogs !== undefined ? [[id, flowLogs]] : [])),
    );
    if (settings.size > 0) {
      const { running, ended, skipped } = await logged();
      const window = { from: Math.floor(this.#from / 1000), to: Math.floor(now() / 1000) };
      const lines = this.#ledger.lines(ended, running, settings, name, window);
      for (const [id, own] of settings) {
        const list = lines.get(id) ?? [];
        if (skipped > 0) list.push(emptyLine(id, own, "SKIPDATA", name, window));
        else if (list.length === 0) list.push(emptyLine(id, own, "NODATA", name, window));
        this.#append(id, own, list);
      }
      this.counters.flowLogFlowsSkipped += skipped;
    }
    this.#from = now();
    if (last || this.#from >= this.#fileAt) {
      this.#fileAt = this.#from + (this.#options.fileMs ?? FILE_MS);
      for (const id of [...this.#files.keys()]) await this.#write(id);
    } else for (const [id, { characters }] of this.#files) if (characters >= FILE_CHARACTERS_MAX) await this.#write(id);
  }

  #append(id: string, settings: FlowLogs, lines: readonly string[]): void {
    let file = this.#files.get(id);
    if (file === undefined) {
      file = { settings, lines: [], characters: 0 };
      this.#files.set(id, file);
    }
    for (const line of lines) {
      file.lines.push(line);
      file.characters += line.length + 1;
    }
    this.counters.flowLogLines += lines.length;
  }

  async #write(id: string): Promise<void> {
    const { settings, lines } = this.#files.get(id)!;
    this.#files.delete(id);
    const { bucket, prefix, account } = settings;
    const key = keyOf(id, settings, this.#options.name, this.#from);
    try {
      await this.#options.store.put(bucket, key, await gzip(`${HEADER}\n${lines.join("\n")}\n`));
      this.counters.flowLogFiles++;
    } catch (error) {
      this.counters.flowLogFilesLost++;
      const { message: reason } = error as Error;
      this.#options.log.error(
        { accelerator: id, account, bucket, prefix, lines: lines.length, reason },
        "a file of flow logs cannot be written and is lost",
      );
    }
  }
}

/** The last part is this edge's and this moment's, so that edges do not write over each other. */
function keyOf(id: string, { bucket, prefix, account }: FlowLogs, edge: string, unixMs: number): string {
  const [date = "", time = ""] = new Date(unixMs).toISOString().split("T");
  const hex = (text: string): string => textHash(text).toString(16).padStart(8, "0");
  const log = `fl-${hex(`${id} ${bucket}`)}${hex(`${prefix} ${id}`)}`;
  const stamp = `${date.replaceAll("-", "")}T${time.slice(0, 5).replace(":", "")}Z`;
  const folder = `AWSLogs/${account}/globalaccelerator/${REGION}/${date.replaceAll("-", "/")}`;
  const name = `${account}_globalaccelerator_${id.replace(/[^\w.-]/g, "-")}_${log}_${stamp}_${hex(`${edge} ${unixMs}`)}.log.gz`;
  // AWS: a prefix of one slash makes a double one.
  return `${prefix === "" ? "" : `${prefix.replace(/\/$/, "")}/`}${folder}/${name}`;
}
