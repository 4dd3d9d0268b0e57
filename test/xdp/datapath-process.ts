/** An XDP datapath in a process of its own, inside a namespace, told what to do by its parent: what is killed, restarted and replaced in tests. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { type DesiredState, desiredState, NOTHING_DESIRED } from "../../src/forward/desired-state.ts";
import { parseForward } from "../../src/forward/forward.ts";
import { plan } from "../../src/forward/plan.ts";
import { XdpDatapath, type XdpOptions } from "../../src/forward/xdp/xdp-datapath.ts";

export type Order =
  | { readonly open: XdpOptions }
  | { readonly apply: readonly object[]; readonly times?: number }
  | { readonly stats: true }
  | { readonly flows: number }
  | { readonly close: boolean };

export class DatapathProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(namespace: string, options: XdpOptions): Promise<DatapathProcess> {
    // `ip netns exec` would take the BPF file system away.
    const child = fork(import.meta.filename, [], {
      execPath: "/usr/bin/nsenter",
      execArgv: [`--net=/run/netns/${namespace}`, process.execPath],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    child.setMaxListeners(0);
    const started = new DatapathProcess(child);
    await started.ask({ open: options });
    return started;
  }

  async ask<T>(order: Order): Promise<T> {
    this.#child.send(order);
    const [answer] = (await Promise.race([
      once(this.#child, "message"),
      once(this.#child, "exit").then(() => [{ error: "the process ended" }]),
    ])) as [{ value?: T; error?: string }];
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value as T;
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  async close(keep: boolean): Promise<void> {
    const ended = once(this.#child, "exit");
    await this.ask({ close: keep });
    this.#child.disconnect();
    await ended;
  }
}

/** Child's side. */
function serve(): void {
  let datapath: XdpDatapath | undefined;
  let state: DesiredState = NOTHING_DESIRED;
  const obey = async (order: Order): Promise<unknown> => {
    if ("open" in order) {
      datapath = new XdpDatapath(order.open);
      return datapath.attached.map(({ mode }) => mode);
    }
    if ("apply" in order) {
      for (let i = 0; i < (order.times ?? 1); i++) {
        const next = desiredState(
          state.revision + 1,
          order.apply.map((entry) => parseForward(entry, "test")),
        );
        await datapath!.apply(plan(state, next));
        state = next;
        if ((order.times ?? 1) > 1) {
          await datapath!.apply(plan(state, rewritten(state)));
          await new Promise((done) => setImmediate(done));
        }
      }
      return undefined;
    }
    if ("stats" in order) {
      const { forwards, counters } = await datapath!.stats();
      return { forwards: Object.fromEntries(forwards), counters };
    }
    if ("flows" in order) return datapath!.flows(order.flows);
    await datapath!.close(order.close);
    return undefined;
  };
  process.on("message", (order: Order) => {
    obey(order).then(
      (value) => process.send!({ value }),
      (error: Error) => process.send!({ error: error.message }),
    );
  });
}

/** All of it again, as if it had been written otherwise. */
const rewritten = (state: DesiredState): DesiredState =>
  desiredState(
    state.revision + 1,
    [...state.forwards.values()].map((forward) => ({ ...forward, text: `${forward.text} ` })),
  );

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href && process.send !== undefined) serve();
