/** From the API to a client: an edge joins, what is made is served by it, and what it sees is told; a dial turned to 0 and a change of endpoint reach it. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { serveHttp } from "../../../src/host/http.ts";
import { type Children, longhaul, sleep } from "../children.ts";
import { ControlProcess } from "./control-process.ts";

export interface Seen {
  /** Before an edge has it, and after. */
  readonly statuses: readonly (string | undefined)[];
  readonly health: string | undefined;
  readonly answers: readonly string[];
}

/** Uses ports `port` to `port` + 2 of loopback. */
export async function servedByAnEdge(children: Children, folder: string, port: number): Promise<Seen> {
  const data = join(folder, "edges");
  const [door, listen] = [port + 1, port + 2];
  const more = ["--edges", `127.0.0.1:${door}`, "--addresses", "127.9.0.0/24"];
  const control = new ControlProcess(children, { data, port, more });
  await control.start();
  const token = spawnSync(longhaul, ["edges", "--data", data, "token", "--control", `127.0.0.1:${door}`], {
    encoding: "utf8",
  }).stdout.trim();
  const start = ["edge", "--join", token, "--state", join(folder, "edge")];
  const edge = children.start("edge", [longhaul, ...start]);
  const endpoints = await Promise.all(["one", "two"].map((text) => serveHttp(() => new Response(text), { host: "127.0.0.1", port: 0 })));
  try {
    const client = control.client();
    for (const end = Date.now() + 20_000; !edge.output().includes('"revision":0'); await sleep(50))
      if (Date.now() > end) throw new Error(edge.output());
    const statuses: (string | undefined)[] = [];
    const { Accelerator } = await client.createAccelerator({ Name: "served", IdempotencyToken: "a" });
    const { AcceleratorArn, IpSets } = Accelerator!;
    const PortRanges = [{ FromPort: listen, ToPort: listen }];
    const { Listener } = await client.createListener({
      AcceleratorArn: AcceleratorArn!,
      PortRanges,
      Protocol: "TCP",
      IdempotencyToken: "l",
    });
    const groups = await Promise.all(
      endpoints.map(({ local }, i) =>
        client.createEndpointGroup({
          ListenerArn: Listener!.ListenerArn!,
          EndpointGroupRegion: `region-${i}`,
          EndpointConfigurations: [{ EndpointId: `127.0.0.1:${local.port}` }],
          TrafficDialPercentage: i === 0 ? 100 : 0,
          IdempotencyToken: `g${i}`,
        }),
      ),
    );
    const [first, second] = groups.map(({ EndpointGroup }) => EndpointGroup!.EndpointGroupArn!);
    const status = async () => (await client.describeAccelerator({ AcceleratorArn: AcceleratorArn! })).Accelerator!.Status;
    const health = async () =>
      (await client.describeEndpointGroup({ EndpointGroupArn: first! })).EndpointGroup!.EndpointDescriptions![0]!.HealthState;
    statuses.push(Accelerator!.Status);
    for (const end = Date.now() + 20_000; (await status()) !== "DEPLOYED" || (await health()) !== "HEALTHY"; await sleep(50))
      if (Date.now() > end) break;
    statuses.push(await status());
    const address = IpSets![0]!.IpAddresses![0]!;
    const asked = async (): Promise<string> => {
      const response = await fetch(`http://${address}:${listen}/`, { headers: { connection: "close" } }).catch(() => undefined);
      return response === undefined ? "nobody" : response.text();
    };
    const answers = [await asked()];
    await client.updateEndpointGroup({ EndpointGroupArn: second!, TrafficDialPercentage: 100 });
    await client.updateEndpointGroup({ EndpointGroupArn: first!, TrafficDialPercentage: 0 });
    for (const end = Date.now() + 20_000; (await status()) !== "DEPLOYED"; await sleep(50)) if (Date.now() > end) break;
    answers.push(await asked());
    return { statuses, health: await health(), answers };
  } finally {
    for (const server of endpoints) await server.close();
    await Promise.all([children.end(edge), children.end(control.child)]);
  }
}
