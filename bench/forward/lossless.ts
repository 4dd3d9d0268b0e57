/**
 * Whether a packet is lost by XDP between namespaces while its forwards, its process and its version change, or while it is flooded. Root; all of the machine.
 *
 *   npm run bench:forward -- --only lossless [--rate 510000] [--reloads 1000] [--forwards 1000] [--spoofed 1000000] [--window 192] [--parts quiet,reloads,processes,flood]
 *
 * A veth's ring has room for 256 frames: whatever keeps the core for half a millisecond makes it overrun, forwarder or not. So the sender has a window: at most --window packets
 * are under way, what has to wait is made up for, as behind a wire whose other end can say "pause". No ring overruns then, and each packet that was sent and did not come to the
 * other end was lost by the forwarder. `quiet` says what is lost when nothing changes. In a flood most are meant not to arrive, and there is no window: lost is what came to the
 * forwarder, was not refused and did not leave it.
 */

import { type DesiredState, desiredState, NOTHING_DESIRED } from "../../src/forward/desired-state.ts";
import { plan } from "../../src/forward/plan.ts";
import { XdpDatapath, type XdpOptions } from "../../src/forward/xdp/xdp-datapath.ts";
import { loadSys } from "../../src/host/sys.ts";
import { parseArgs } from "../../test/script-args.ts";
import { DatapathProcess } from "../../test/xdp/datapath-process.ts";
import type { Load } from "./generator.ts";
import { BACKEND, forwardOf, insideProxy, LISTEN, type Wire } from "./wire.ts";

const { values } = parseArgs({
  options: {
    rate: { type: "string", default: "510000" },
    reloads: { type: "string", default: "1000" },
    forwards: { type: "string", default: "1000" },
    spoofed: { type: "string", default: "1000000" },
    window: { type: "string", default: "192" },
    parts: { type: "string", default: "quiet,reloads,processes,flood" },
  },
});
const rate = Number(values.rate);
const reloads = Number(values.reloads);
const forwards = Number(values.forwards);
const OPTIONS: XdpOptions = { interfaces: ["in", "out"], limits: { flowsMax: 65_536 } };
/** Those of the rest may come and go: packets of these are counted. */
const LOAD = { flows: 1000, forwards: Math.min(forwards, 1000), rate, window: Number(values.window) } as const;
let lost = 0;

/** Packets as long as `work` lasts, each of which is to arrive. */
async function during(
  wire: Wire,
  what: string,
  load: Omit<Load, "seconds">,
  work: () => Promise<string>,
  refused = async (): Promise<number> => 0,
): Promise<void> {
  // Flows begin.
  await wire.generator.send({ flows: load.flows, forwards: load.forwards ?? 1, seconds: 1, rate: 50_000, window: load.window ?? 0 });
  const [before, refusedBefore, began] = [wire.frames(), await refused(), performance.now()];
  const over = wire.generator.send({ ...load, seconds: Number.POSITIVE_INFINITY });
  const said = await work();
  wire.generator.stop();
  const { sent, taken, held } = await over;
  // The generator waits a while for the last packets.
  const seconds = (performance.now() - began) / 1000 - ARRIVAL_SECONDS;
  const after = wire.frames();
  const [total, overrun] = [sent[0] + sent[1], after.overrun - before.overrun];
  const passed = after.left - before.left + (await refused()) - refusedBefore;
  const missing = load.window === undefined ? after.came - before.came - passed : total - taken[0] - taken[1];
  lost += Math.max(0, missing);
  const waited = load.window === undefined ? "" : `; held back by the window ${number(held)} times`;
  console.log(
    `${what}: ${said}; ${number(total)} packets of ${load.flows} flows, ${number(Math.round(total / seconds))} a second for ${seconds.toFixed(1)} s, ${missing} lost (overrun: ${number(overrun)}${waited})`,
  );
}

async function undisturbed(wire: Wire): Promise<void> {
  const datapath = new XdpDatapath({ ...OPTIONS, pinned: false }, loadSys());
  await datapath.apply(plan(NOTHING_DESIRED, stateOf(1)));
  await during(wire, "quiet", LOAD, async () => {
    await new Promise((done) => setTimeout(done, 4000));
    return "nothing changes";
  });
  await datapath.close(false);
}

async function reloading(wire: Wire): Promise<void> {
  const datapath = new XdpDatapath({ ...OPTIONS, pinned: false }, loadSys());
  let state: DesiredState = stateOf(1);
  await datapath.apply(plan(NOTHING_DESIRED, state));
  await during(wire, "reloads", LOAD, async () => {
    const took: number[] = [];
    for (let n = 0; n < reloads; n++) {
      const next = stateOf(n + 2);
      const change = plan(state, next);
      const began = performance.now();
      await datapath.apply(change);
      took.push(performance.now() - began);
      state = next;
      // Its timers are to have their turn.
      await new Promise((done) => setTimeout(done, 1));
    }
    took.sort((a, b) => a - b);
    return `${reloads} times all of ${forwards} forwards (median ${took[reloads >> 1]!.toFixed(1)} ms)`;
  });
  await datapath.close(false);
}

async function processes(wire: Wire): Promise<void> {
  const options = { ...OPTIONS, name: wire.proxy };
  const apply = { apply: Array.from({ length: LOAD.forwards }, (_, i) => entryOf(i)) };
  const open = async (more: object = {}): Promise<DatapathProcess> => {
    const started = await DatapathProcess.start(wire.proxy, { ...options, ...more });
    await started.ask(apply);
    return started;
  };
  let datapath = await open();
  const change = (what: string, work: () => Promise<DatapathProcess>): Promise<void> =>
    during(wire, what, LOAD, async () => {
      for (let n = 0; n < 3; n++) datapath = await work();
      return "3 times";
    });
  await change("kill -9, and the next one", async () => {
    await datapath.kill();
    return open();
  });
  await change("restart", async () => {
    await datapath.close(true);
    return open();
  });
  let flowsMax = OPTIONS.limits!.flowsMax!;
  await change("upgrade, to other tables", async () => {
    flowsMax = flowsMax === 65_536 ? 131_072 : 65_536;
    const next = await open({ limits: { ...OPTIONS.limits, flowsMax } });
    await datapath.kill();
    return next;
  });
  await datapath.close(false);
}

async function flood(wire: Wire): Promise<void> {
  const datapath = new XdpDatapath({ ...OPTIONS, pinned: false, limits: { flowsMax: 262_144 } }, loadSys());
  await datapath.apply(plan(NOTHING_DESIRED, stateOf(1, 1)));
  const spoofed = Number(values.spoofed);
  const own = 100_000;
  const load = { flows: 500, rate: spoofed + own, spoofed: Math.round((1000 * spoofed) / (spoofed + own)) };
  const own500 = async (): Promise<string> => {
    const flows = (await datapath.flows(1_000_000)).filter(({ source }) => source.startsWith("10.64."));
    return JSON.stringify(flows.map(({ source, seenAs }) => `${source} ${seenAs}`).sort());
  };
  let first = "";
  const flooded = async (): Promise<string> => {
    // They are there by now.
    first = await own500();
    await new Promise((done) => setTimeout(done, 3000));
    return `${number(spoofed)} sources a second that never come again`;
  };
  await during(wire, "flood", load, flooded, async () => (await datapath.stats()).forwards.get("f0")!.refused);
  const { counters } = await datapath.stats();
  const same = first === (await own500()) && JSON.parse(first).length === load.flows;
  if (!same) lost++;
  console.log(
    `       refused by the budget of new flows: ${number(counters.budget!)}; for want of room: ${counters.full}; the ${load.flows} flows are ${same ? "the same as before" : "others"}`,
  );
  await datapath.close(false);
}

function entryOf(i: number): object {
  return { name: `f${i}`, listen: `${LISTEN}:${1024 + i}`, to: [`${BACKEND}:${1024 + i}`] };
}

function stateOf(revision: number, count = forwards): DesiredState {
  return desiredState(
    revision,
    Array.from({ length: count }, (_, i) => forwardOf(i, ` ${revision}`)),
  );
}

/** Generator. */
const ARRIVAL_SECONDS = 0.2;

function number(value: number): string {
  return value.toLocaleString("en");
}

const PARTS = { quiet: undisturbed, reloads: reloading, processes, flood } as const;
const wire = insideProxy(import.meta.filename);
if (wire !== undefined) {
  await wire.generator.sink("count");
  wire.first();
  for (const name of values.parts.split(",") as (keyof typeof PARTS)[]) await PARTS[name](wire);
  wire.generator.close();
  process.exit(lost === 0 ? 0 : 1);
}
