/**
 * Changes are made by several clients while processes are killed -9: what was acknowledged is there afterwards, and what was not is there whole or not at all.
 *
 *   each client: create an accelerator with a listener and a group, rename it, change the group's endpoints, delete it sometimes
 */
import type { GlobalAccelerator } from "@aws-sdk/client-global-accelerator";
import { paginateListAccelerators } from "@aws-sdk/client-global-accelerator";
import { sleep } from "../children.ts";
import type { ControlProcess } from "./control-process.ts";

const CLIENTS = 3;
const ENDPOINTS = 5;
/** A process is killed when so many changes of the round were acknowledged, a few more each time. */
const LEAST = 5;
const SPREAD = 23;
const PATIENCE_MS = 10_000;

/** What is known of one accelerator: the last state that was acknowledged, and what a call that got no answer may have made of it. */
interface Known {
  readonly arn: string;
  name: string;
  maybeName?: string;
  group?: string;
  endpoints: number;
  maybeEndpoints?: number;
  deleting?: boolean;
  deleted?: boolean;
}

export interface Losses {
  readonly acknowledged: number;
  readonly lost: readonly string[];
}

/** Kills `victim` `rounds` times and starts it again; the clients speak to whichever of `processes` they are given in turn. */
export async function killedWhileChanging(processes: readonly ControlProcess[], victim: ControlProcess, rounds: number): Promise<Losses> {
  const known: Known[] = [];
  let acknowledged = 0;
  for (let round = 0; round < rounds; round++) {
    let running = true;
    let changes = 0;
    const told = (): void => {
      changes++;
      acknowledged++;
    };
    const clients = Array.from({ length: CLIENTS }, (_, i) => processes[i % processes.length]!.client());
    const work = clients.map(async (client, i) => {
      while (running) await step(client, known, `k${round}-${i}`, told, () => running);
    });
    for (const end = Date.now() + PATIENCE_MS; changes < LEAST + ((7 * round) % SPREAD) && Date.now() < end; ) await sleep(2);
    await victim.kill();
    running = false;
    await Promise.all(work);
    await victim.start();
  }
  return { acknowledged, lost: await missing(victim.client(), known) };
}

/** One accelerator's changes, until one is not acknowledged. */
async function step(client: GlobalAccelerator, known: Known[], name: string, told: () => void, running: () => boolean): Promise<void> {
  let now: Known | undefined;
  try {
    const { Accelerator } = await client.createAccelerator({ Name: name, IdempotencyToken: crypto.randomUUID() });
    now = { arn: Accelerator!.AcceleratorArn!, name, endpoints: 0 };
    known.push(now);
    told();
    const AcceleratorArn = now.arn;
    const PortRanges = [{ FromPort: 80, ToPort: 80 }];
    const { Listener } = await client.createListener({
      AcceleratorArn,
      PortRanges,
      Protocol: "TCP",
      IdempotencyToken: crypto.randomUUID(),
    });
    told();
    const { EndpointGroup } = await client.createEndpointGroup({
      ListenerArn: Listener!.ListenerArn!,
      EndpointGroupRegion: "eu",
      IdempotencyToken: crypto.randomUUID(),
    });
    now.group = EndpointGroup!.EndpointGroupArn!;
    told();
    for (let count = 1; count <= ENDPOINTS && running(); count++) {
      now.maybeEndpoints = count;
      const EndpointConfigurations = Array.from({ length: count }, (_, i) => ({ EndpointId: `10.0.0.${i + 1}` }));
      await client.updateEndpointGroup({ EndpointGroupArn: now.group, EndpointConfigurations });
      now.endpoints = count;
      told();
    }
    now.maybeName = `${name}-renamed`;
    await client.updateAccelerator({ AcceleratorArn, Name: now.maybeName, Enabled: false });
    now.name = now.maybeName;
    told();
    if (known.length % 3 !== 0) return;
    now.deleting = true;
    await client.deleteEndpointGroup({ EndpointGroupArn: now.group });
    await client.deleteListener({ ListenerArn: Listener!.ListenerArn! });
    await client.deleteAccelerator({ AcceleratorArn });
    now.deleted = true;
    told();
  } catch (error) {
    // Only a connection that broke is no answer: anything else is a finding.
    if ((error as { $fault?: string }).$fault !== undefined) throw error;
    await sleep(20);
  }
}

async function missing(client: GlobalAccelerator, known: readonly Known[]): Promise<string[]> {
  const names = new Map<string, string>();
  for await (const page of paginateListAccelerators({ client, pageSize: 100 }, {}))
    for (const { AcceleratorArn, Name } of page.Accelerators!) names.set(AcceleratorArn!, Name!);
  const lost: string[] = [];
  for (const { arn, name, maybeName, group, endpoints, maybeEndpoints, deleting, deleted } of known) {
    const found = names.get(arn);
    if (deleted) {
      if (found !== undefined) lost.push(`${arn} is back`);
      continue;
    }
    if (found === undefined) {
      if (!deleting) lost.push(`${arn} is gone`);
      continue;
    }
    if (found !== name && found !== maybeName) lost.push(`${arn} is called ${found}, not ${name}`);
    if (group === undefined || deleting) continue;
    const count = (await client.describeEndpointGroup({ EndpointGroupArn: group })).EndpointGroup!.EndpointDescriptions!.length;
    if (count !== endpoints && count !== maybeEndpoints) lost.push(`${group} has ${count} endpoints, not ${endpoints}`);
  }
  return lost;
}
