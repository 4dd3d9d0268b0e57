/**
 * What edges serve, as it is sent to them: the text of each accelerator once for all edges, and what differs between a revision that an edge has and the
 * latest one.
 *
 *   notify, or the store's number has grown ─► compile ─► texts compared ─► followers are told      one at a time, the latest wins
 */
import type { AcceleratorConfig, EdgeConfig } from "../../accelerate/edge-config.ts";
import type { Log } from "../../host/log.ts";

/** Where the configuration comes from. */
export interface EdgeSource {
  revision(): Promise<number>;
  config(): Promise<EdgeConfig>;
}

/** Accelerators that were removed, which are remembered so that edges which were away can be told; before that they are sent the whole. */
const REMOVALS_MAX = 10_000;

export class Feed {
  readonly counters = { compiled: 0, failed: 0 };
  revision = -1;
  readonly #source: EdgeSource;
  readonly #log: Log;
  readonly #followers = new Set<() => void>();
  readonly #texts = new Map<string, { readonly text: string; readonly revision: number }>();
  #removals: { readonly id: string; readonly revision: number }[] = [];
  /** From this revision on it is known what changed. */
  #known = 0;
  #looking: Promise<void> | undefined;
  #again = false;
  readonly #timer: NodeJS.Timeout;

  /** `pollMs`: how often the store's number is looked at, for changes by other processes. */
  constructor(source: EdgeSource, log: Log, pollMs: number) {
    this.#source = source;
    this.#log = log;
    this.#timer = setInterval(() => void this.look(), pollMs);
  }

  /** `told` is called after each change, until the answer is called. */
  follow(told: () => void): () => void {
    this.#followers.add(told);
    return () => this.#followers.delete(told);
  }

  /** Something may have changed. */
  look(): Promise<void> {
    this.#again = true;
    this.#looking ??= this.#run().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** The line for an edge that has `since`; undefined: it has the latest. */
  line(since: number): string | undefined {
    if (this.revision < 0 || since === this.revision) return undefined;
    const whole = since < this.#known || since > this.revision;
    const put: string[] = [];
    for (const { text, revision } of this.#texts.values()) if (whole || revision > since) put.push(text);
    const remove = whole ? [] : this.#removals.filter(({ id, revision }) => revision > since && !this.#texts.has(id)).map(({ id }) => id);
    const from = whole ? "null" : String(since);
    return `{"kind":"configuration","from":${from},"revision":${this.revision},"put":[${put.join()}],"remove":${JSON.stringify(remove)}}\n`;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#followers.clear();
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        if ((await this.#source.revision()) === this.revision) continue;
        this.#take(await this.#source.config());
        this.counters.compiled++;
        for (const told of this.#followers) told();
      } catch (error) {
        this.counters.failed++;
        this.#log.error({ reason: (error as Error).message }, "what edges are to serve cannot be read; they serve on");
      }
    }
  }

  #take({ revision, accelerators }: EdgeConfig): void {
    // A store that went back, as from a copy: what was is unknown.
    if (this.revision < 0 || revision < this.revision) {
      this.#texts.clear();
      this.#removals = [];
      this.#known = revision;
    }
    const gone = new Set(this.#texts.keys());
    for (const accelerator of accelerators) {
      const text = JSON.stringify(accelerator satisfies AcceleratorConfig);
      gone.delete(accelerator.id);
      if (this.#texts.get(accelerator.id)?.text !== text) this.#texts.set(accelerator.id, { text, revision });
    }
    for (const id of gone) {
      this.#texts.delete(id);
      this.#removals.push({ id, revision });
    }
    if (this.#removals.length > REMOVALS_MAX) {
      this.#known = this.#removals[this.#removals.length - REMOVALS_MAX - 1]!.revision;
      this.#removals = this.#removals.slice(-REMOVALS_MAX);
    }
    this.revision = revision;
  }
}
