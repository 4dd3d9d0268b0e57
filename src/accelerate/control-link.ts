/**
 * An edge's link to control: connects to one control process after the other, says what it has, takes what it lacks, and tells what it sees.
 *
 *   away ─► connecting ─► linked ─(closed, silent)─► away, longer each time       what is served does not depend on any of it
 */
import type { Millis } from "../base/units.ts";
import { type Identity, openLines } from "../host/http2-client.ts";
import { formatHostPort, splitHostPort } from "../host/ip-address.ts";
import type { LineStream } from "../host/line-stream.ts";
import type { Log } from "../host/log.ts";
import type { EdgeConfig } from "./edge-config.ts";
import { ALIVE_EVERY_MS, configurationAfter, type EdgeReport, type FromEdge, LINE_TO_EDGE_MAX, toEdge } from "./edge-stream.ts";

export interface ControlLinkOptions {
  /** "host:port". */
  readonly addresses: readonly string[];
  readonly identity: Identity;
  readonly name: string;
  readonly release: string;
  readonly log: Log;
  readonly random: () => number;
  /** What is served now. */
  readonly serving: () => EdgeConfig;
  /** Serves it; how many places could not be opened. */
  readonly serve: (config: EdgeConfig) => Promise<number>;
  /** `whole`: of all endpoints, else of those that changed since the last time. */
  readonly report: (whole: boolean) => Promise<EdgeReport>;
  /** A new certificate for the key that was asked for. */
  readonly renewed: (certificate: string) => void;
}

/** Tuning. */
const CONNECT_TIMEOUT: Millis = 5000;
const AGAIN_LEAST: Millis = 100;
const AGAIN_MOST: Millis = 5000;
const REPORT_EVERY: Millis = 1000;

export class ControlLink {
  readonly counters = { linked: 0, linkFailures: 0, configurationsTaken: 0, configurationsRefused: 0 };
  readonly #options: ControlLinkOptions;
  #identity: Identity;
  #lines: LineStream | undefined;
  #next = 0;
  #pause: Millis = AGAIN_LEAST;
  #heardAt: Millis = 0;
  #timer: NodeJS.Timeout | undefined;
  #reports: NodeJS.Timeout | undefined;
  #taking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ControlLinkOptions) {
    this.#options = options;
    this.#identity = options.identity;
    this.#next = Math.floor(options.random() * options.addresses.length);
  }

  get linked(): boolean {
    return this.#lines !== undefined;
  }

  start(): void {
    void this.#connect();
  }

  /** From the next connection on. */
  identify(identity: Identity): void {
    this.#identity = identity;
  }

  renew(request: string): void {
    this.#say({ kind: "renew", request });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#reports);
    this.#lines?.close();
  }

  async #connect(): Promise<void> {
    if (this.#closed) return;
    const { addresses, log, release, name, serving } = this.#options;
    const at = splitHostPort(addresses[this.#next++ % addresses.length]!);
    const to = formatHostPort(at.host, at.port);
    try {
      const lines = await openLines(at, this.#identity, "/stream", CONNECT_TIMEOUT, LINE_TO_EDGE_MAX, {
        line: (text) => this.#line(text),
        closed: (reason) => this.#gone(to, reason),
      });
      if (this.#closed) {
        lines.close();
        return;
      }
      this.#lines = lines;
    } catch (error) {
      this.counters.linkFailures++;
      const { code = "EIO" } = error as { code?: string };
      // One line at first and one a minute or so: control may be away for a long time.
      if (this.counters.linkFailures === 1 || this.counters.linkFailures % FAILURES_A_LINE === 0)
        log.warn({ control: to, code, failures: this.counters.linkFailures }, "control is not reached, serving on");
      this.#later();
      return;
    }
    this.counters.linked++;
    this.counters.linkFailures = 0;
    this.#pause = AGAIN_LEAST;
    this.#heardAt = performance.now();
    log.info({ control: to, revision: serving().revision }, "linked to control");
    this.#say({ kind: "hello", revision: serving().revision, release, name });
    void this.#report(true);
    this.#reports = setInterval(() => void this.#report(false), REPORT_EVERY);
  }

  #gone(control: string, reason: string): void {
    clearInterval(this.#reports);
    if (this.#lines === undefined) return;
    this.#lines = undefined;
    if (this.#closed) return;
    this.#options.log.warn({ control, reason }, "the link to control is lost, serving on");
    this.#later();
  }

  #later(): void {
    if (this.#closed) return;
    const { random } = this.#options;
    this.#timer = setTimeout(() => void this.#connect(), this.#pause * (0.5 + random()));
    this.#pause = Math.min(AGAIN_MOST, this.#pause * 2);
  }

  #line(text: string): void {
    this.#heardAt = performance.now();
    const result = toEdge.safeParse(parsed(text));
    if (!result.success) {
      this.#options.log.error({}, "control said what is not understood");
      this.#lines?.close();
      return;
    }
    const message = result.data;
    if (message.kind === "certificate") this.#options.renewed(message.certificate);
    else if (message.kind === "configuration") this.#taking = this.#taking.then(() => this.#take(message));
  }

  async #take(change: Parameters<typeof configurationAfter>[1]): Promise<void> {
    const after = configurationAfter(this.#options.serving(), change);
    if ("refused" in after) {
      this.counters.configurationsRefused++;
      this.#options.log.error({ revision: change.revision, reason: after.refused }, "a configuration is refused, serving on");
      this.#say({
        kind: "refused",
        revision: change.revision,
        serving: this.#options.serving().revision,
        reason: after.refused.slice(0, 1000),
      });
      return;
    }
    const problems = await this.#options.serve(after.config);
    this.counters.configurationsTaken++;
    this.#say({ kind: "applied", revision: change.revision, problems });
  }

  async #report(whole: boolean): Promise<void> {
    if (performance.now() - this.#heardAt > 3 * ALIVE_EVERY_MS) {
      this.#lines?.close();
      return;
    }
    const report = await this.#options.report(whole);
    this.#say({ kind: "report", report });
  }

  #say(message: FromEdge): void {
    this.#lines?.write(`${JSON.stringify(message)}\n`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const FAILURES_A_LINE = 20;
