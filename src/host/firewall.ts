/**
 * The firewall's rule of a raw connection: added, looked after, removed. By nftables where it works, otherwise by iptables.
 *
 * Rules of others are never touched: ours are in a table (nftables) or a chain (iptables) with a name of their own, drawn anew for each process.
 * After SIGKILL they stay; `clearFirewall` removes all of that kind, those of running processes too, which restore theirs if they look after them.
 */
import { randomBytes } from "node:crypto";
import { HostError } from "../base/errors.ts";
import { iptables } from "./firewall-iptables.ts";
import { nftables } from "./firewall-nftables.ts";
import type { FirewallPattern } from "./firewall-pattern.ts";
import type { Log } from "./log.ts";
import { type Outcome, type Run, runProgram, runProgramNow, type Step } from "./program.ts";

/** One kind of firewall, as the programs that are called for it. */
export interface FirewallBackend {
  readonly name: "nftables" | "iptables";
  /** All must succeed. */
  install(pattern: FirewallPattern, name: string): Step[];
  /** Each may fail: something of it may be gone. */
  remove(pattern: FirewallPattern, name: string): Step[];
  list(pattern: FirewallPattern, name: string): Step;
  /** What is ours in the listing. */
  own(listing: string, name: string): string;
  listAll(): Step[];
  /** From the listing of the step: how everything whose name begins with `prefix` is removed. */
  removeAll(listing: string, prefix: string, listed: Step): Step[];
}

export interface FirewallCounters {
  checks: number;
  /** Found missing or changed, and put back. */
  restored: number;
  /** Could not be put back; the next check tries again. */
  failed: number;
}

export interface FirewallOptions {
  /** Of the table or chain, at most 28 letters, digits and underlines; drawn by default. */
  readonly name?: string;
  /** Tried in this order; default nftables, iptables. */
  readonly backends?: readonly FirewallBackend[];
  readonly run?: Run;
}

export class Firewall {
  readonly counters: FirewallCounters = { checks: 0, restored: 0, failed: 0 };
  readonly backend: FirewallBackend;
  readonly name: string;
  readonly #pattern: FirewallPattern;
  readonly #log: Log;
  readonly #run: Run;
  readonly #atExit: () => void;
  #wanted: string;
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #removed = false;

  private constructor(backend: FirewallBackend, name: string, pattern: FirewallPattern, wanted: string, log: Log, run: Run) {
    this.backend = backend;
    this.name = name;
    this.#pattern = pattern;
    this.#wanted = wanted;
    this.#log = log;
    this.#run = run;
    this.#atExit = () => backend.remove(pattern, name).forEach(runProgramNow);
    process.on("exit", this.#atExit);
  }

  /** Adds the rule; it goes with the process unless that is killed. @throws HostError that says of each kind why it cannot be had */
  static async install(pattern: FirewallPattern, log: Log, options: FirewallOptions = {}): Promise<Firewall> {
    const { name = `${PREFIX}${randomBytes(4).toString("hex")}`, backends = [nftables, iptables], run = runProgram } = options;
    const reasons: string[] = [];
    for (const backend of backends) {
      // A name that is given may be there from before; a second jump to it must not be added.
      if (options.name !== undefined) for (const step of backend.remove(pattern, name)) await run(step);
      const { wanted, error } = await put(backend, pattern, name, run);
      if (error === undefined) {
        log.info({ backend: backend.name, name, ...(reasons.length > 0 ? { because: reasons.join("; ") } : {}) }, "firewall rule added");
        return new Firewall(backend, name, pattern, wanted, log, run);
      }
      reasons.push(`${backend.name}: ${error}`);
    }
    throw refusal("added", reasons);
  }

  /** Whether the rule was there as it was added; otherwise it is put back. */
  check(): Promise<boolean> {
    return this.#next(async () => {
      if (this.#removed) return true;
      this.counters.checks++;
      const { backend, name } = this;
      const outcome = await this.#run(backend.list(this.#pattern, name));
      if (outcome.status === 0 && backend.own(outcome.output, name) === this.#wanted) return true;
      // What could not be looked at may be there: it is left alone until the next time.
      if (outcome.status === undefined) return this.#fail(outcome.error);
      for (const step of backend.remove(this.#pattern, name)) await this.#run(step);
      const { wanted, error } = await put(backend, this.#pattern, name, this.#run);
      if (error !== undefined) return this.#fail(error);
      this.#wanted = wanted;
      this.counters.restored++;
      this.#log.warn({ backend: backend.name, name, restored: this.counters.restored }, "firewall rule was gone, restored");
      return false;
    });
  }

  /** Checks from now on, every `everyMs`, until `remove`. */
  keep(everyMs = CHECK_MS): void {
    let checking = false;
    this.#timer ??= setInterval(() => {
      if (checking) return;
      checking = true;
      void this.check().finally(() => {
        checking = false;
      });
    }, everyMs).unref();
  }

  /** Leaves the rule where it is when the process ends. */
  leave(): void {
    clearInterval(this.#timer);
    process.off("exit", this.#atExit);
  }

  /** Harmless when it is gone already. */
  remove(): Promise<void> {
    clearInterval(this.#timer);
    return this.#next(async () => {
      if (this.#removed) return;
      this.#removed = true;
      for (const step of this.backend.remove(this.#pattern, this.name)) await this.#run(step);
      process.off("exit", this.#atExit);
      this.#log.info({ backend: this.backend.name, name: this.name }, "firewall rule removed");
    });
  }

  #fail(reason: string): false {
    this.counters.failed++;
    const { backend, name, counters } = this;
    this.#log.error({ backend: backend.name, name, reason, failed: counters.failed }, "firewall rule cannot be seen or restored");
    return false;
  }

  /** One after another: a check must not put back what is being removed. */
  #next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}

/** Removes all rules of this program, of all kinds, and answers how many tables and chains there were. @throws HostError when one stays */
export async function clearFirewall(log: Log, run: Run = runProgram): Promise<number> {
  let removed = 0;
  for (const backend of [nftables, iptables]) {
    for (const listing of backend.listAll()) {
      const listed = await run(listing);
      if (listed.status !== 0) {
        if (DENIED.test(listed.error)) throw refusal("removed", [`${backend.name}: ${listed.error}`]);
        log.info({ backend: backend.name, reason: listed.error }, "firewall not looked at");
        continue;
      }
      for (const step of backend.removeAll(listed.output, PREFIX, listing)) {
        const { status, error } = await run(step);
        if (status !== 0) throw new HostError("EBUSY", `${step.program} ${step.args.join(" ")}`, error);
        if (step.args.includes("table") || step.args.includes("-X")) removed++;
      }
    }
  }
  return removed;
}

/** What the names of all our tables and chains begin with. */
export const PREFIX = "longhaul_raw_";

async function put(
  backend: FirewallBackend,
  pattern: FirewallPattern,
  name: string,
  run: Run,
): Promise<{ wanted: string; error: string | undefined }> {
  let outcome: Outcome | undefined;
  for (const step of [...backend.install(pattern, name), backend.list(pattern, name)]) {
    outcome = await run(step);
    if (outcome.status === 0) continue;
    for (const undo of backend.remove(pattern, name)) await run(undo);
    return { wanted: "", error: outcome.error || `${step.program} ended with status ${outcome.status}` };
  }
  return { wanted: backend.own(outcome!.output, name), error: undefined };
}

function refusal(done: string, reasons: readonly string[]): HostError {
  const text = reasons.join("; ");
  const denied = DENIED.test(text);
  const advice = denied ? "; needs the capability CAP_NET_ADMIN: run as root, or see what -g prints" : "";
  return new HostError(denied ? "EPERM" : "ENOTSUP", "firewall rule", `cannot be ${done} (${text}${advice})`);
}

const DENIED = /permitted|permission|must be root/i;
const CHECK_MS = 5000;
