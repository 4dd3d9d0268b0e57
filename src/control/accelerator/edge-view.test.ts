/** What an edge is given for what the API was told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as ga from "@aws-sdk/client-global-accelerator";
import { edgeConfig } from "../../accelerate/edge-config.ts";
import { AcceleratorInstallation } from "../testing/accelerator-installation.ts";
import { edgeView } from "./edge-view.ts";

const token = () => crypto.randomUUID();

test("a standard accelerator: groups, checks, endpoints, settings in tags", async (t) => {
  const installation = await AcceleratorInstallation.start(t);
  const client = new ga.GlobalAccelerator(await installation.client());
  const { Accelerator } = await client.createAccelerator({
    Name: "voice",
    IdempotencyToken: token(),
    Tags: [
      { Key: "longhaul:repin", Value: "false" },
      { Key: "longhaul:source-flows-max", Value: "50" },
      { Key: "team", Value: "x" },
    ],
  });
  const AcceleratorArn = Accelerator!.AcceleratorArn!;
  const { Listener } = await client.createListener({
    AcceleratorArn,
    Protocol: "UDP",
    PortRanges: [{ FromPort: 5060, ToPort: 5061 }],
    ClientAffinity: "SOURCE_IP",
    IdempotencyToken: token(),
  });
  const { EndpointGroup } = await client.createEndpointGroup({
    ListenerArn: Listener!.ListenerArn!,
    EndpointGroupRegion: "eu",
    TrafficDialPercentage: 70,
    EndpointConfigurations: [
      { EndpointId: "10.0.0.1", Weight: 3, ClientIPPreservationEnabled: true },
      { EndpointId: "[2001:db8::1]:7000" },
    ],
    PortOverrides: [{ ListenerPort: 5060, EndpointPort: 15_060 }],
    IdempotencyToken: token(),
  });
  await client.tagResource({
    ResourceArn: EndpointGroup!.EndpointGroupArn!,
    Tags: [
      { Key: "longhaul:health-check-protocol", Value: "SIP" },
      { Key: "longhaul:health-check-interval-ms", Value: "200" },
      { Key: "longhaul:client-address", Value: "transparent" },
    ],
  });
  const view = await edgeView(installation.context);
  assert.equal(view.revision, 4);
  const { accelerators } = edgeConfig.parse(view);
  assert.deepEqual(
    [accelerators[0]!.policy.repin, accelerators[0]!.policy.sourceFlowsMax, accelerators[0]!.policy.resetDead],
    [false, 50, true],
  );
  assert.deepEqual(accelerators[0]!.addresses, ["192.0.2.1", "198.18.0.1"]);
  assert.equal(accelerators[0]!.dnsName, Accelerator!.DnsName);
  const [listener] = accelerators[0]!.listeners;
  assert.deepEqual(listener!.ports, [{ from: 5060, to: 5061 }]);
  assert.equal(listener!.affinity, "SOURCE_IP");
  const { id: _, ...group } = listener!.groups[0]!;
  assert.deepEqual(group, {
    region: "eu",
    dial: 70,
    check: { protocol: "SIP", port: 5060, path: "/", payload: "", intervalMs: 200, threshold: 3 },
    overrides: [{ listener: 5060, endpoint: 15_060 }],
    endpoints: [
      { id: "10.0.0.1", host: "10.0.0.1", weight: 3, client: "transparent" },
      { id: "[2001:db8::1]:7000", host: "2001:db8::1", port: 7000, checkPort: 7000, weight: 128, client: "none" },
    ],
  });
  await client.updateAccelerator({ AcceleratorArn, Enabled: false });
  assert.equal(edgeConfig.parse(await edgeView(installation.context)).accelerators[0]!.enabled, false);
});

test("custom routing: what is allowed, as routes for each protocol", async (t) => {
  const installation = await AcceleratorInstallation.start(t);
  const client = new ga.GlobalAccelerator(await installation.client());
  const { Accelerator } = await client.createCustomRoutingAccelerator({ Name: "games", IdempotencyToken: token() });
  const { Listener } = await client.createCustomRoutingListener({
    AcceleratorArn: Accelerator!.AcceleratorArn!,
    PortRanges: [{ FromPort: 1000, ToPort: 1099 }],
    IdempotencyToken: token(),
  });
  const { EndpointGroup } = await client.createCustomRoutingEndpointGroup({
    ListenerArn: Listener!.ListenerArn!,
    EndpointGroupRegion: "eu",
    DestinationConfigurations: [
      { FromPort: 80, ToPort: 82, Protocols: ["TCP"] },
      { FromPort: 90, ToPort: 90, Protocols: ["UDP"] },
      { FromPort: 82, ToPort: 82, Protocols: ["UDP"] },
    ],
    IdempotencyToken: token(),
  });
  const EndpointGroupArn = EndpointGroup!.EndpointGroupArn!;
  await client.addCustomRoutingEndpoints({ EndpointGroupArn, EndpointConfigurations: [{ EndpointId: "10.0.0.0/28" }] });
  const listeners = async () => edgeConfig.parse(await edgeView(installation.context)).accelerators[0]!.listeners;
  assert.deepEqual(await listeners(), [], "nothing is allowed");
  await client.allowCustomRoutingTraffic({ EndpointGroupArn, EndpointId: "10.0.0.0/28", DestinationAddresses: ["10.0.0.4", "10.0.0.6"] });
  await client.denyCustomRoutingTraffic({
    EndpointGroupArn,
    EndpointId: "10.0.0.0/28",
    DestinationAddresses: ["10.0.0.6"],
    DestinationPorts: [80],
  });
  const [tcp, udp, ...more] = await listeners();
  assert.equal(more.length, 0);
  assert.deepEqual([tcp!.protocol, udp!.protocol], ["TCP", "UDP"]);
  assert.deepEqual(tcp!.routes, [
    { first: 1000, count: 2, address: "10.0.0.4", port: 80, protocols: ["TCP"] },
    { first: 1002, count: 1, address: "10.0.0.4", port: 82, protocols: ["TCP", "UDP"] },
    { first: 1009, count: 1, address: "10.0.0.6", port: 81, protocols: ["TCP"] },
    { first: 1010, count: 1, address: "10.0.0.6", port: 82, protocols: ["TCP", "UDP"] },
  ]);
  assert.deepEqual(
    udp!.routes.map(({ first, port }) => [first, port]),
    [
      [1002, 82],
      [1003, 90],
      [1010, 82],
      [1011, 90],
    ],
  );
});

test("addresses of an own range are served while it is advertised", async (t) => {
  const installation = await AcceleratorInstallation.start(t);
  const client = new ga.GlobalAccelerator(await installation.client());
  const Cidr = "203.0.113.0/24";
  await client.provisionByoipCidr({ Cidr, CidrAuthorizationContext: { Message: "m", Signature: "s" } });
  await client.createAccelerator({ Name: "own", IpAddresses: ["203.0.113.7"], IdempotencyToken: token() });
  const addresses = async () => edgeConfig.parse(await edgeView(installation.context)).accelerators.map((each) => each.addresses);
  assert.deepEqual(await addresses(), [["192.0.2.1"]]);
  await client.advertiseByoipCidr({ Cidr });
  assert.deepEqual(await addresses(), [["203.0.113.7", "192.0.2.1"]]);
  await client.withdrawByoipCidr({ Cidr });
  assert.deepEqual(await addresses(), [["192.0.2.1"]]);
});
