/**
 * Both ends of the wire, in a process and a namespace of their own: live frames of the kernel's test runs go out by g0, what comes at s0 is dropped, counted or sent back.
 * Told what to do by its parent, one message at a time.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { Bpf } from "../../src/host/bpf/bpf.ts";
import { XdpLink } from "../../src/host/bpf/xdp-link.ts";
import { interfaceNamed } from "../../src/host/interface.ts";
import { loadSys } from "../../src/host/sys.ts";
import { BenchProgram, template } from "./bench-program.ts";

export interface Load {
  readonly flows: number;
  readonly forwards?: number;
  /** Default: at random. False: each flow once, and then it is over. */
  readonly random?: boolean;
  /** Infinity: until `stop`. */
  readonly seconds: number;
  /** Packets a second; default as many as there can be. */
  readonly rate?: number;
  /** Of a thousand packets so many from sources that never come again. */
  readonly spoofed?: number;
  /** Packets that may be under way: BenchProgram.pace. */
  readonly window?: number;
}

export interface Sent {
  /** Of flows, and of sources that never come again. */
  readonly sent: readonly [number, number];
  readonly taken: readonly [number, number];
  /** How often a packet was due and the window full. */
  readonly held: number;
}

type Order = { readonly sink: "drop" | "count" | "echo" } | { readonly load: Load; readonly mac: string } | { readonly stop: true };

export class Generator {
  readonly #child: ChildProcess;
  readonly #mac: string;

  /** `mac`: of the interface that the load goes to. `core`: on which it keeps busy. */
  constructor(namespace: string, mac: string, core: number) {
    this.#mac = mac;
    this.#child = fork(import.meta.filename, [], {
      execPath: "/usr/bin/nsenter",
      execArgv: [`--net=/run/netns/${namespace}`, "taskset", "-c", String(core), process.execPath],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
  }

  sink(sink: "drop" | "count" | "echo"): Promise<unknown> {
    return this.#ask({ sink });
  }

  /** Resolves when it is over and all that was sent had time to arrive. */
  send(load: Load): Promise<Sent> {
    return this.#ask({ load, mac: this.#mac });
  }

  /** The load that is being sent ends soon. */
  stop(): void {
    this.#child.send({ stop: true } satisfies Order);
  }

  close(): void {
    this.#child.kill();
  }

  async #ask<T>(order: Order): Promise<T> {
    this.#child.send(order);
    const [answer] = (await once(this.#child, "message")) as [T];
    return answer;
  }
}

function serve(): void {
  const sys = loadSys();
  const bpf = new Bpf(sys);
  const bench = new BenchProgram(bpf);
  const { ifindex } = interfaceNamed(sys, "g0");
  let links: XdpLink[] = [];
  let stopped = false;

  const obey = async (order: Order): Promise<unknown> => {
    if ("sink" in order) {
      for (const link of links) {
        link.detach();
        link.close();
      }
      const near = order.sink === "echo" ? bench.sinks.count : bench.sinks.drop;
      links = [XdpLink.attach(bpf, near, ifindex, "native")];
      links.push(XdpLink.attach(bpf, bench.sinks[order.sink], interfaceNamed(sys, "s0").ifindex, "native"));
      return {};
    }
    if ("stop" in order) {
      stopped = true;
      return undefined;
    }
    stopped = false;
    const { flows, forwards = 1, random = true, rate = 0, spoofed = 0, window = 0 } = order.load;
    // JSON has no infinity.
    const seconds = order.load.seconds ?? Number.POSITIVE_INFINITY;
    const mac = Buffer.from(order.mac, "hex");
    bench.outBy(ifindex, mac);
    const packet = template(BYTES, mac);
    // No checksum of UDP, as conntrack would look at it.
    packet.fill(0, 40, 42);
    bench.flows(flows, forwards, random, 0);
    bench.pace(rate, spoofed, window);
    const [before, held] = [bench.counts, bench.held];
    for (const until = performance.now() + seconds * 1000; performance.now() < until && !stopped; ) {
      if (!random && bench.made >= flows) break;
      // A run ends at a signal or after its number; one that is paced has many in which nothing is sent. Between two runs nothing is sent for some 30 ms.
      const paced = seconds === Number.POSITIVE_INFINITY ? 20_000_000 : 4_000_000;
      const repeat = rate > 0 ? paced : random ? 1_000_000 : flows - bench.made;
      try {
        bench.send.run({ packet, repeat, ifindex, live: true, batch: 64 });
      } catch (error) {
        if ((error as { code?: string }).code !== "EINTR") throw error;
      }
      if (seconds === Number.POSITIVE_INFINITY) await new Promise((done) => setImmediate(done));
    }
    await new Promise((done) => setTimeout(done, ARRIVAL_MS));
    const after = bench.counts;
    const less = (a: readonly [number, number], b: readonly [number, number]): [number, number] => [a[0] - b[0], a[1] - b[1]];
    return { sent: less(after.sent, before.sent), taken: less(after.taken, before.taken), held: bench.held - held };
  };
  process.on("message", (order: Order) => {
    void obey(order).then((answer) => {
      if (answer !== undefined) process.send!(answer);
    });
  });
}

const BYTES = 842;
const ARRIVAL_MS = 200;

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href && process.send !== undefined) serve();
