import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import * as ga from "@aws-sdk/client-global-accelerator";
import { AcceleratorInstallation } from "../../testing/accelerator-installation.ts";
import { Allowed, allocate, portsOf } from "./port-block.ts";

const named =
  (name: string, message = /./) =>
  (error: Error) =>
    error.name === name && message.test(error.message);

async function started(t: TestContext, FromPort: number, ToPort: number) {
  const installation = await AcceleratorInstallation.start(t);
  const client = new ga.GlobalAccelerator(await installation.client());
  const { Accelerator } = await client.createCustomRoutingAccelerator({ Name: "games", IdempotencyToken: "a" });
  const AcceleratorArn = Accelerator!.AcceleratorArn!;
  const { Listener } = await client.createCustomRoutingListener({
    AcceleratorArn,
    PortRanges: [{ FromPort, ToPort }],
    IdempotencyToken: "l",
  });
  return { client, AcceleratorArn, ListenerArn: Listener!.ListenerArn!, addresses: Accelerator!.IpSets![0]!.IpAddresses! };
}

async function group(client: ga.GlobalAccelerator, ListenerArn: string, FromPort: number, ToPort: number): Promise<string> {
  const { EndpointGroup } = await client.createCustomRoutingEndpointGroup({
    ListenerArn,
    EndpointGroupRegion: "eu",
    DestinationConfigurations: [{ FromPort, ToPort, Protocols: ["TCP", "UDP"] }],
    IdempotencyToken: crypto.randomUUID(),
  });
  return EndpointGroup!.EndpointGroupArn!;
}

const add = (client: ga.GlobalAccelerator, EndpointGroupArn: string, ...ids: string[]) =>
  client.addCustomRoutingEndpoints({ EndpointGroupArn, EndpointConfigurations: ids.map((EndpointId) => ({ EndpointId })) });

test("AWS's example: four /24 subnets of ten ports fill 10001 to 20040, address by address", async (t) => {
  const { client, AcceleratorArn, ListenerArn, addresses } = await started(t, 10_001, 20_040);
  const EndpointGroupArn = await group(client, ListenerArn, 81, 90);
  const subnets = [2, 3, 4, 5].map((third) => `192.0.${third}.0/24`);
  await add(client, EndpointGroupArn, subnets[0]!, subnets[1]!);
  await add(client, EndpointGroupArn, subnets[2]!, subnets[3]!);
  await assert.rejects(add(client, EndpointGroupArn, "192.0.6.0/28"), named("LimitExceededException"));
  const { PortMappings: all, NextToken } = await client.listCustomRoutingPortMappings({ AcceleratorArn, MaxResults: 20_000 });
  assert.equal(NextToken, undefined);
  assert.equal(all!.length, 10_040);
  const shown = all!.map(({ AcceleratorPort, DestinationSocketAddress: to }) => `${AcceleratorPort} ${to!.IpAddress}:${to!.Port}`);
  assert.equal(shown[0], "10001 192.0.2.4:81");
  assert.equal(shown[9], "10010 192.0.2.4:90");
  assert.equal(shown[10], "10011 192.0.2.5:81");
  assert.equal(shown[2509], "12510 192.0.2.254:90");
  assert.equal(shown[2510], "12511 192.0.3.4:81");
  assert.equal(shown.at(-1), "20040 192.0.5.254:90");
  assert.deepEqual(all![0]!.Protocols, ["TCP", "UDP"]);
  assert.ok(all!.every(({ DestinationTrafficState }) => DestinationTrafficState === "DENY"));
  const paged: string[] = [];
  for await (const page of ga.paginateListCustomRoutingPortMappings({ client, pageSize: 3000 }, { AcceleratorArn, EndpointGroupArn }))
    paged.push(
      ...page.PortMappings!.map(({ AcceleratorPort, DestinationSocketAddress: to }) => `${AcceleratorPort} ${to!.IpAddress}:${to!.Port}`),
    );
  assert.deepEqual(paged, shown, "pages neither lose nor repeat");
  const { DestinationPortMappings: one } = await client.listCustomRoutingPortMappingsByDestination({
    EndpointId: subnets[1]!,
    DestinationAddress: "192.0.3.5",
    MaxResults: 2,
  });
  assert.deepEqual(
    one![1]!.AcceleratorSocketAddresses,
    addresses.map((IpAddress) => ({ IpAddress, Port: 12_522 })),
  );
  assert.deepEqual(one![1]!.DestinationSocketAddress, { IpAddress: "192.0.3.5", Port: 82 });
  await assert.rejects(
    client.listCustomRoutingPortMappingsByDestination({ EndpointId: "10.0.0.0/24", DestinationAddress: "10.0.0.4" }),
    named("EndpointNotFoundException"),
  );
  await assert.rejects(
    client.listCustomRoutingPortMappingsByDestination({ EndpointId: subnets[1]!, DestinationAddress: "192.0.3.3" }),
    named("InvalidArgumentException"),
  );
});

test("a mapping never changes: what goes leaves its ports to what comes", async (t) => {
  const { client, AcceleratorArn, ListenerArn } = await started(t, 1000, 1043);
  const EndpointGroupArn = await group(client, ListenerArn, 80, 80);
  const ports = async (): Promise<Record<string, number[]>> => {
    const { PortMappings } = await client.listCustomRoutingPortMappings({ AcceleratorArn, MaxResults: 20_000 });
    return Object.fromEntries(
      Map.groupBy(PortMappings!, ({ EndpointId }) => EndpointId!)
        .entries()
        .map(([id, list]) => [id, [list[0]!.AcceleratorPort!, list.at(-1)!.AcceleratorPort!]]),
    );
  };
  await add(client, EndpointGroupArn, "10.0.0.0/28", "10.0.1.0/28", "10.0.2.0/28");
  const before = await ports();
  assert.deepEqual(before, { "10.0.0.0/28": [1000, 1010], "10.0.1.0/28": [1011, 1021], "10.0.2.0/28": [1022, 1032] });
  await client.removeCustomRoutingEndpoints({ EndpointGroupArn, EndpointIds: ["10.0.1.0/28"] });
  await assert.rejects(add(client, EndpointGroupArn, "10.0.3.0/27"), named("LimitExceededException"));
  const grown = [{ FromPort: 1000, ToPort: 1060 }];
  await client.updateCustomRoutingListener({ ListenerArn, PortRanges: grown });
  for (const PortRanges of [[{ FromPort: 1001, ToPort: 1060 }], [{ FromPort: 1000, ToPort: 1059 }], [{ FromPort: 2000, ToPort: 2015 }]])
    await assert.rejects(client.updateCustomRoutingListener({ ListenerArn, PortRanges }), named("InvalidPortRangeException", /not shrink/));
  await add(client, EndpointGroupArn, "10.0.4.0/27");
  const { "10.0.4.0/27": late, ...rest } = await ports();
  assert.deepEqual(late, [1011, 1048], "27 addresses: 11 in the gap, the others after the last");
  assert.deepEqual(rest, { "10.0.0.0/28": before["10.0.0.0/28"], "10.0.2.0/28": before["10.0.2.0/28"] });
});

test("traffic is denied until it is allowed: all, some addresses, some ports", async (t) => {
  const { client, AcceleratorArn, ListenerArn } = await started(t, 1000, 1099);
  const EndpointGroupArn = await group(client, ListenerArn, 80, 81);
  const EndpointId = "10.0.0.0/28";
  await add(client, EndpointGroupArn, EndpointId);
  const open = async (): Promise<string[]> => {
    const { PortMappings } = await client.listCustomRoutingPortMappings({ AcceleratorArn, MaxResults: 20_000 });
    return PortMappings!
      .filter(({ DestinationTrafficState }) => DestinationTrafficState === "ALLOW")
      .map(({ DestinationSocketAddress: to }) => `${to!.IpAddress}:${to!.Port}`);
  };
  const to = { EndpointGroupArn, EndpointId };
  await client.allowCustomRoutingTraffic({ ...to, DestinationAddresses: ["10.0.0.4", "10.0.0.14"], DestinationPorts: [81] });
  assert.deepEqual(await open(), ["10.0.0.4:81", "10.0.0.14:81"]);
  await client.allowCustomRoutingTraffic({ ...to, DestinationAddresses: ["10.0.0.5"] });
  await client.denyCustomRoutingTraffic({ ...to, DestinationAddresses: ["10.0.0.4"] });
  assert.deepEqual(await open(), ["10.0.0.5:80", "10.0.0.5:81", "10.0.0.14:81"]);
  await client.allowCustomRoutingTraffic({ ...to, AllowAllTrafficToEndpoint: true });
  assert.equal((await open()).length, 22);
  await client.denyCustomRoutingTraffic({ ...to, DenyAllTrafficToEndpoint: true });
  assert.deepEqual(await open(), []);
  for (const wrong of [
    {},
    { DestinationAddresses: [] },
    { DestinationAddresses: ["10.0.0.3"] },
    { DestinationAddresses: ["10.0.0.15"] },
    { DestinationAddresses: ["10.0.0.4"], DestinationPorts: [82] },
    { DestinationAddresses: ["10.0.0.4"], AllowAllTrafficToEndpoint: true },
    { EndpointId: "10.0.1.0/28", AllowAllTrafficToEndpoint: true },
  ])
    await assert.rejects(client.allowCustomRoutingTraffic({ ...to, ...wrong }), named("InvalidArgumentException"), JSON.stringify(wrong));
});

test("what custom routing refuses", async (t) => {
  const { client, AcceleratorArn, ListenerArn } = await started(t, 1000, 60_000);
  const token = () => crypto.randomUUID();
  const listener = (...ports: (readonly [number, number])[]) =>
    client.createCustomRoutingListener({
      AcceleratorArn,
      PortRanges: ports.map(([FromPort, ToPort]) => ({ FromPort, ToPort })),
      IdempotencyToken: token(),
    });
  await assert.rejects(listener([1, 15]), named("InvalidPortRangeException", /at least 16/));
  await assert.rejects(listener([500, 1000]), named("InvalidPortRangeException"));
  await assert.rejects(listener([1, 20], [20, 40]), named("InvalidPortRangeException"));
  await listener([1, 16]);
  const destinations = (...list: ga.CustomRoutingDestinationConfiguration[]) =>
    client.createCustomRoutingEndpointGroup({
      ListenerArn,
      EndpointGroupRegion: "x",
      DestinationConfigurations: list,
      IdempotencyToken: token(),
    });
  const range = (FromPort: number, ToPort: number, ...Protocols: ga.CustomRoutingProtocol[]) => ({ FromPort, ToPort, Protocols });
  await assert.rejects(destinations(range(9, 8, "TCP")), named("InvalidPortRangeException"));
  await assert.rejects(destinations(range(1, 8, "TCP"), range(8, 9, "TCP", "UDP")), named("InvalidPortRangeException"));
  await assert.rejects(destinations(range(1, 8)), named("InvalidArgumentException"));
  const both = await destinations(range(1, 8, "TCP"), range(1, 8, "UDP"));
  const EndpointGroupArn = both.EndpointGroup!.EndpointGroupArn!;
  for (const wrong of ["10.0.0.0/16", "10.0.0.0/29", "10.0.0.1/24", "10.0.0.4", "2001:db8::/64", "subnet-0123456789abcdef0"])
    await assert.rejects(add(client, EndpointGroupArn, wrong), named("InvalidArgumentException"), wrong);
  await add(client, EndpointGroupArn, "10.0.0.0/28");
  await assert.rejects(add(client, EndpointGroupArn, "10.0.0.0/28"), named("EndpointAlreadyExistsException"));
  await assert.rejects(add(client, EndpointGroupArn, "10.0.0.0/27"), named("ConflictException"));
  await assert.rejects(
    client.removeCustomRoutingEndpoints({ EndpointGroupArn, EndpointIds: ["10.9.0.0/28"] }),
    named("EndpointNotFoundException"),
  );
  const { PortMappings } = await client.listCustomRoutingPortMappings({ AcceleratorArn, MaxResults: 20_000 });
  assert.equal(PortMappings!.length, 11 * 8, "a port for both protocols");
  assert.deepEqual(PortMappings![0]!.Protocols, ["TCP", "UDP"]);
  await assert.rejects(client.deleteCustomRoutingListener({ ListenerArn }), named("AssociatedEndpointGroupFoundException"));
  const described = await client.describeCustomRoutingEndpointGroup({ EndpointGroupArn });
  assert.deepEqual(described.EndpointGroup!.EndpointDescriptions, [{ EndpointId: "10.0.0.0/28" }]);
  assert.equal((await client.listCustomRoutingEndpointGroups({ ListenerArn })).EndpointGroups!.length, 1);
  await client.deleteCustomRoutingEndpointGroup({ EndpointGroupArn });
  await client.deleteCustomRoutingListener({ ListenerArn });
  assert.equal((await client.listCustomRoutingListeners({ AcceleratorArn })).Listeners!.length, 1);
});

test("a block is the lowest free ports, whatever is taken", () => {
  const ranges = [
    { FromPort: 50, ToPort: 59 },
    { FromPort: 10, ToPort: 19 },
  ];
  assert.deepEqual(allocate(ranges, [], 12), [
    [10, 19],
    [50, 51],
  ]);
  const taken = [
    [10, 11],
    [15, 15],
    [50, 58],
  ] as const;
  assert.deepEqual(allocate(ranges, taken, 8), [
    [12, 14],
    [16, 19],
    [59, 59],
  ]);
  assert.equal(allocate(ranges, taken, 9), undefined);
  const spans = allocate(ranges, taken, 8)!;
  assert.deepEqual([...portsOf(spans)], [12, 13, 14, 16, 17, 18, 19, 59]);
  assert.deepEqual([...portsOf(spans, 2, 3)], [14, 16, 17]);
  assert.deepEqual([...portsOf(spans, 7)], [59]);
  const allowed = new Allowed(20);
  for (const index of [0, 7, 8, 19]) allowed.set(index, true);
  allowed.set(8, false);
  const again = new Allowed(20, allowed.text);
  assert.deepEqual(
    Array.from({ length: 20 }, (_, i) => i).filter((i) => again.has(i)),
    [0, 7, 19],
  );
});
