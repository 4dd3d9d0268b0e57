/**
 * `longhaul control` with many accelerators: how long a page of the list takes, a change, and what edges are to serve.
 *
 *   node bench/control.ts [--accelerators 1000] [--endpoints 10]          npm run bench:control
 *
 * A process of its own over SQLite in a folder, asked by the published SDK over loopback; the store is filled by the same API's operations beforehand.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AddressPool } from "../src/control/accelerator/address-pool.ts";
import { parseCidr } from "../src/control/accelerator/cidr.ts";
import { type AcceleratorContext, noEdges, quotaDefaults } from "../src/control/accelerator/context.ts";
import { edgeView } from "../src/control/accelerator/edge-view.ts";
import { globalAcceleratorOperations } from "../src/control/accelerator/operations.ts";
import { openDatabase } from "../src/control/store/database.ts";
import { ControlProcess } from "../test/interop/accelerator/control-process.ts";
import { Children } from "../test/interop/children.ts";
import { parseArgs } from "../test/script-args.ts";

const { values } = parseArgs({
  options: {
    accelerators: { type: "string", default: "1000" },
    endpoints: { type: "string", default: "10" },
    rounds: { type: "string", default: "100" },
  },
});
const [accelerators, endpoints, rounds] = [Number(values.accelerators), Number(values.endpoints), Number(values.rounds)];
const WARM_UP = 10;
const folder = mkdtempSync(join(tmpdir(), "longhaul-bench-control-"));
const children = new Children();

/** Through the operations themselves, without signatures: one commit each, as with clients. */
async function fill(context: AcceleratorContext): Promise<void> {
  const run = async (name: string, input: Record<string, unknown>): Promise<Record<string, Record<string, string>>> =>
    (await globalAcceleratorOperations[name]!.run(context, input as never)) as Record<string, Record<string, string>>;
  const token = (): string => crypto.randomUUID();
  for (let i = 0; i < accelerators; i++) {
    const { Accelerator } = await run("CreateAccelerator", { Name: `bench-${i}`, IdempotencyToken: token() });
    const { AcceleratorArn } = Accelerator!;
    const PortRanges = [{ FromPort: 443, ToPort: 443 }];
    const { Listener } = await run("CreateListener", { AcceleratorArn, PortRanges, Protocol: "TCP", IdempotencyToken: token() });
    await run("CreateEndpointGroup", {
      ListenerArn: Listener!.ListenerArn,
      EndpointGroupRegion: "eu",
      EndpointConfigurations: Array.from({ length: endpoints }, (_, n) => ({ EndpointId: `10.${i >> 8}.${i & 255}.${n + 1}` })),
      IdempotencyToken: token(),
    });
  }
}

/** Milliseconds at the median, at 99 of 100 and at most. */
async function timed(what: string, act: () => Promise<unknown>, count = rounds): Promise<void> {
  const took: number[] = [];
  for (let i = 0; i < WARM_UP; i++) await act();
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await act();
    took.push(performance.now() - start);
  }
  took.sort((a, b) => a - b);
  const at = (share: number): string => took[Math.min(took.length - 1, Math.floor(share * took.length))]!.toFixed(1);
  console.log(`${what.padEnd(62)} p50 ${at(0.5)} ms   p99 ${at(0.99)} ms   most ${at(1)} ms`);
}

try {
  const data = join(folder, "data");
  const control = new ControlProcess(children, { data, port: 26_000 + (process.pid % 4000), more: ["--quota", "accelerators=100000"] });
  await control.start();
  const database = await openDatabase(join(data, "longhaul.db"));
  const context: AcceleratorContext = {
    database,
    account: "000000000000",
    domain: "accelerator.internal",
    pool: new AddressPool([parseCidr("10.0.0.0/9")!]),
    quotas: { ...quotaDefaults, accelerators: 100_000 },
    edges: noEdges,
    now: Date.now,
  };
  const start = performance.now();
  await fill(context);
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `${accelerators} accelerators × ${endpoints} endpoints: ${Math.round((3 * accelerators) / seconds)} changes a second while filling`,
  );
  const client = control.client();
  let NextToken: string | undefined;
  await timed("ListAccelerators, a page of 100, one after another", async () => {
    ({ NextToken } = await client.listAccelerators({ MaxResults: 100, ...(NextToken === undefined ? {} : { NextToken }) }));
  });
  const { Accelerators } = await client.listAccelerators({});
  const { AcceleratorArn } = Accelerators![0]!;
  const { Listeners } = await client.listListeners({ AcceleratorArn: AcceleratorArn! });
  const { EndpointGroups } = await client.listEndpointGroups({ ListenerArn: Listeners![0]!.ListenerArn! });
  await timed("DescribeEndpointGroup", () => client.describeEndpointGroup({ EndpointGroupArn: EndpointGroups![0]!.EndpointGroupArn! }));
  let dial = 0;
  await timed("UpdateEndpointGroup (a dial is turned)", () =>
    client.updateEndpointGroup({ EndpointGroupArn: EndpointGroups![0]!.EndpointGroupArn!, TrafficDialPercentage: dial++ % 100 }),
  );
  await timed("what edges are to serve, all of it, compiled", () => edgeView(context), Math.min(rounds, 20));
  await database.destroy();
} finally {
  await children.endAll();
  rmSync(folder, { recursive: true, force: true });
}
