/**
 * A running `longhaul forward run` and those who tell it something, over its unix socket:
 *
 *   POST /change   an operation (forward/operation.ts)      200 {revision, summary, milliseconds}      400 wrong     500 not possible
 *   GET  /place    which state file and datapath
 *   GET  /stats    GET /flows?limit=N&forward=NAME          as forward/datapath.ts has them
 *   GET  /capture     packets: forward-capture-stream.ts
 *   GET  /findings    what the machine lacks                 GET /metrics /status /healthz     metrics/pages.ts
 */
import { Hono } from "hono";
import { ConfigError, HostError } from "../base/errors.ts";
import type { Capture, CaptureOptions, DatapathKind, DatapathStats, Flow, PacketSink } from "../forward/datapath.ts";
import type { Changed, Forwarder } from "../forward/forwarder.ts";
import { type Operation, operationText, parseOperation } from "../forward/operation.ts";
import { httpGet, httpPost } from "../host/http-get.ts";
import { findInstances } from "../host/instances.ts";
import type { Endpoint } from "../host/loop.ts";
import { lockStateFile } from "../host/state-file.ts";
import { captureStream, followCapture } from "./forward-capture-stream.ts";

export const INSTANCE = "forward";
const BODY_BYTES_MAX = 256 << 20;
const TIMEOUT_MS = 60_000;

export interface Place {
  readonly path: string;
  readonly datapath: DatapathKind;
  readonly pid: number;
  /** Why no faster datapath. */
  readonly reasons: readonly string[];
}

/** Answers under `forwarder`. `path`: of its state file. */
export function controlPages(forwarder: Forwarder, path: string, reasons: readonly string[]): Hono {
  const app = new Hono();
  app.get("/place", (context) => context.json({ path, datapath: forwarder.datapath.kind, pid: process.pid, reasons }));
  app.get("/stats", async (context) => {
    const { forwards, counters } = await forwarder.datapath.stats();
    return context.json({ forwards: Object.fromEntries(forwards), counters });
  });
  app.get("/flows", async (context) => {
    const limit = Math.min(Number(context.req.query("limit") ?? 1000) || 1000, 1_000_000);
    return context.json(await forwarder.datapath.flows(limit, context.req.query("forward")));
  });
  app.get("/capture", async (context) => {
    const asked = (name: string, otherwise: number): number => Number(context.req.query(name) ?? otherwise) || otherwise;
    const options = { forward: context.req.query("forward"), oneIn: asked("onein", 1), bytesMax: asked("snaplen", 65_535) };
    try {
      return context.body(await captureStream(forwarder.datapath, options));
    } catch (error) {
      if (error instanceof HostError) return context.json({ code: error.code, message: error.message }, 500);
      throw error;
    }
  });
  app.post("/change", async (context) => {
    const text = await context.req.text();
    try {
      const operation = parseOperation(text);
      return context.json(await lockStateFile(path, () => forwarder.change(operation)));
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof ConfigError) return context.json({ key: error.key, message }, 400);
      if (error instanceof HostError) return context.json({ code: error.code, message }, 500);
      throw error;
    }
  });
  return app;
}

/** A running process for a state file, seen from another process. */
export class Remote {
  readonly place: Place;
  readonly #at: Endpoint;

  private constructor(place: Place, at: Endpoint) {
    this.place = place;
    this.#at = at;
  }

  /** Undefined when none runs for this file that this user may talk to. */
  static async find(path: string): Promise<Remote | undefined> {
    for (const instance of findInstances(true)) {
      if (instance.name !== INSTANCE) continue;
      const at = { path: instance.path };
      const answer = await httpGet(at, "/place", 2000, 65_536).catch(() => undefined);
      const place = answer?.status === 200 ? (JSON.parse(answer.body) as Place) : undefined;
      if (place?.path === path) return new Remote(place, at);
    }
    return undefined;
  }

  /** @throws ConfigError, HostError as Forwarder.change does */
  async change(operation: Operation): Promise<Changed> {
    const { status, body } = await httpPost(this.#at, "/change", operationText(operation), TIMEOUT_MS, BODY_BYTES_MAX);
    const answer = JSON.parse(body) as Changed & { readonly key?: string; readonly code?: string; readonly message: string };
    if (status === 200) return answer;
    if (status === 400) throw new ConfigError(answer.key ?? "", answer.message);
    throw new HostError(answer.code ?? "EIO", "forward", answer.message);
  }

  async stats(): Promise<DatapathStats> {
    const { forwards, counters } = await this.#get<{ forwards: object; counters: Record<string, number> }>("/stats");
    return { forwards: new Map(Object.entries(forwards)), counters };
  }

  flows(limit: number, forward?: string): Promise<readonly Flow[]> {
    return this.#get(`/flows?limit=${limit}${forward === undefined ? "" : `&forward=${encodeURIComponent(forward)}`}`);
  }

  /** @throws HostError */
  capture(options: CaptureOptions, sink: PacketSink): Promise<Capture> {
    return followCapture(this.#at, options, sink);
  }

  async #get<T>(path: string): Promise<T> {
    const { status, body } = await httpGet(this.#at, path, TIMEOUT_MS, BODY_BYTES_MAX);
    if (status !== 200) throw new HostError("EIO", "forward", body.slice(0, 200));
    return JSON.parse(body) as T;
  }
}
