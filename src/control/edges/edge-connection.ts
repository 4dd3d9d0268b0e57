/** One edge on its stream: is sent what it lacks, and what it tells is kept. */

import type { Http2Stream } from "node:http2";
import { ALIVE_EVERY_MS, type EdgeReport, type FromEdge, fromEdge, LINE_FROM_EDGE_MAX } from "../../accelerate/edge-stream.ts";
import { ProtocolError } from "../../base/errors.ts";
import { LineStream } from "../../host/line-stream.ts";
import type { Log } from "../../host/log.ts";
import type { HealthState } from "../accelerator/context.ts";
import type { Authority } from "./authority.ts";
import type { Feed } from "./feed.ts";
import { type EdgeRegistry, mergeHealth } from "./registry.ts";

export interface ConnectionShared {
  readonly feed: Feed;
  readonly registry: EdgeRegistry;
  readonly authority: Authority;
  readonly log: Log;
  now(): number;
}

/** While so much waits to leave, an edge is sent nothing new; once it has left, what differs by then. */
const WAITING_MAX = 1 << 20;
/** Reports of one edge are put into the store so often at most. */
const KEEP_EVERY_MS = 1000;

export class EdgeConnection {
  readonly id: string;
  readonly #shared: ConnectionShared;
  readonly #lines: LineStream;
  readonly #health = new Map<string, HealthState>();
  readonly #unfollow: () => void;
  readonly #timer: NodeJS.Timeout;
  readonly #closed: () => void;
  /** What it has, or was sent; −1: it has not said hello yet. */
  #sent = -1;
  #heardAt: number;
  #report: EdgeReport | undefined;
  #kept: Promise<void> = Promise.resolve();

  constructor(id: string, stream: Http2Stream, shared: ConnectionShared, closed: () => void) {
    this.id = id;
    this.#shared = shared;
    this.#closed = closed;
    this.#heardAt = shared.now();
    this.#lines = new LineStream(stream, LINE_FROM_EDGE_MAX, {
      line: (text) => this.#line(text),
      closed: (reason) => this.#end(reason),
    });
    this.#unfollow = shared.feed.follow(() => this.#send());
    this.#timer = setInterval(() => this.#tick(), Math.min(KEEP_EVERY_MS, ALIVE_EVERY_MS));
  }

  close(): void {
    this.#lines.close();
  }

  #line(text: string): void {
    this.#heardAt = this.#shared.now();
    let message: FromEdge;
    try {
      message = fromEdge.parse(JSON.parse(text));
    } catch {
      this.#shared.log.warn({ edge: this.id }, "an edge said what is not understood");
      this.close();
      return;
    }
    // One after another, so that what is kept is what was said last.
    this.#kept = this.#kept
      .then(() => this.#heard(message))
      .catch((error: Error) => {
        this.#shared.log.error({ edge: this.id, reason: error.message }, "what an edge told cannot be kept");
        this.close();
      });
  }

  async #heard(message: FromEdge): Promise<void> {
    const { registry, authority, now } = this.#shared;
    switch (message.kind) {
      case "hello":
        await registry.greeted(this.id, message.release, message.name, now());
        this.#sent = message.revision;
        this.#send();
        return;
      case "applied":
        await registry.applied(this.id, message.revision, message.problems, now());
        return;
      case "refused":
        this.#shared.log.error(
          { edge: this.id, revision: message.revision, reason: message.reason },
          "an edge cannot serve what it was sent",
        );
        // The next change begins from there; the same one is not sent again.
        this.#sent = message.serving;
        await registry.refused(this.id, message.revision, message.reason, now());
        return;
      case "report":
        mergeHealth(this.#health, message.report.whole, message.report.health);
        this.#report = message.report;
        return;
      case "renew": {
        const { certificate } = await authority.vouchForEdge(this.id, message.request, now());
        this.#lines.write(`${JSON.stringify({ kind: "certificate", certificate })}\n`);
        return;
      }
      case "alive":
    }
  }

  #send(): void {
    if (this.#sent < 0 || !this.#lines.open) return;
    if (this.#lines.waiting > WAITING_MAX) {
      this.#lines.drained(() => this.#send());
      return;
    }
    const line = this.#shared.feed.line(this.#sent);
    if (line === undefined) return;
    this.#sent = this.#shared.feed.revision;
    this.#lines.write(line);
  }

  #tick(): void {
    const now = this.#shared.now();
    if (now - this.#heardAt > 3 * ALIVE_EVERY_MS) {
      this.close();
      return;
    }
    if (Math.floor(now / ALIVE_EVERY_MS) !== Math.floor((now - KEEP_EVERY_MS) / ALIVE_EVERY_MS)) this.#lines.write('{"kind":"alive"}\n');
    const report = this.#report;
    this.#report = undefined;
    const { registry } = this.#shared;
    this.#kept = this.#kept
      .then(async () => {
        if (!(await registry.has(this.id))) throw new ProtocolError("edge.removed", "it was removed");
        if (report !== undefined) await registry.reported(this.id, report, this.#health, now);
      })
      .catch((error: Error) => {
        this.#shared.log.warn({ edge: this.id, reason: error.message }, "an edge is let go");
        this.close();
      });
  }

  #end(reason: string): void {
    clearInterval(this.#timer);
    this.#unfollow();
    this.#shared.log.info({ edge: this.id, reason }, "an edge has gone");
    this.#closed();
  }
}
