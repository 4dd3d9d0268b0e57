/** The published SDK against Global Accelerator's API, over a socket: what it shows is what was stored, and every refusal has AWS's name. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import * as ga from "@aws-sdk/client-global-accelerator";
import { AcceleratorInstallation } from "../testing/accelerator-installation.ts";
import { healthKey, type Quotas } from "./context.ts";

const named =
  (name: string, message = /./) =>
  (error: Error) =>
    error.name === name && message.test(error.message);
const missing = "arn:aws:globalaccelerator::123456789012:accelerator/00000000-0000-4000-8000-000000000000";

async function started(t: TestContext, quotas: Partial<Quotas> = {}) {
  const installation = await AcceleratorInstallation.start(t, { quotas });
  return { installation, client: new ga.GlobalAccelerator(await installation.client()) };
}

/** An accelerator with a TCP listener at 80 and 443. */
async function withListener(client: ga.GlobalAccelerator, Name = "a") {
  const AcceleratorArn = (await client.createAccelerator({ Name, IdempotencyToken: crypto.randomUUID() })).Accelerator!.AcceleratorArn!;
  const PortRanges = [
    { FromPort: 80, ToPort: 80 },
    { FromPort: 443, ToPort: 443 },
  ];
  const { Listener } = await client.createListener({ AcceleratorArn, PortRanges, Protocol: "TCP", IdempotencyToken: crypto.randomUUID() });
  return { AcceleratorArn, ListenerArn: Listener!.ListenerArn! };
}

test("an accelerator's life: created, described, changed, disabled, deleted", async (t) => {
  const { client } = await started(t);
  const created = await client.createAccelerator({
    Name: "voice",
    IdempotencyToken: "t1",
    IpAddressType: "DUAL_STACK",
    Tags: [{ Key: "team", Value: "a b" }],
  });
  const { Accelerator } = created;
  const { AcceleratorArn } = Accelerator!;
  assert.match(AcceleratorArn!, /^arn:aws:globalaccelerator::123456789012:accelerator\/[0-9a-f-]{36}$/);
  assert.match(Accelerator!.DnsName!, /^a[0-9a-f]{16}\.accelerator\.example$/);
  assert.equal(Accelerator!.DualStackDnsName, Accelerator!.DnsName!.replace(".", ".dualstack."));
  assert.equal(Accelerator!.Status, "DEPLOYED");
  assert.equal(Accelerator!.Enabled, true);
  assert.ok(Math.abs(Accelerator!.CreatedTime!.getTime() - Date.now()) < 60_000);
  const [v4, v6] = Accelerator!.IpSets!;
  assert.deepEqual(v4!.IpAddresses, ["192.0.2.1", "198.18.0.1"], "one of each range");
  assert.equal(v6!.IpAddressFamily, "IPv6");
  assert.equal(v6!.IpAddresses!.length, 2);
  assert.deepEqual((await client.describeAccelerator({ AcceleratorArn: AcceleratorArn! })).Accelerator, Accelerator);
  const other = await client.createAccelerator({ Name: "b", IdempotencyToken: "t2" });
  assert.deepEqual(other.Accelerator!.IpSets![0]!.IpAddresses, ["192.0.2.2", "198.18.0.2"]);
  const updated = await client.updateAccelerator({ AcceleratorArn: AcceleratorArn!, Name: "voice.2", IpAddressType: "IPV4" });
  assert.equal(updated.Accelerator!.Name, "voice.2");
  assert.equal(updated.Accelerator!.IpSets!.length, 1);
  assert.equal(updated.Accelerator!.DualStackDnsName, undefined);
  await assert.rejects(client.deleteAccelerator({ AcceleratorArn: AcceleratorArn! }), named("AcceleratorNotDisabledException"));
  await client.updateAccelerator({ AcceleratorArn: AcceleratorArn!, Enabled: false });
  await client.deleteAccelerator({ AcceleratorArn: AcceleratorArn! });
  await assert.rejects(client.describeAccelerator({ AcceleratorArn: AcceleratorArn! }), named("AcceleratorNotFoundException"));
  const third = await client.createAccelerator({ Name: "c", IdempotencyToken: "t3" });
  assert.deepEqual(third.Accelerator!.IpSets![0]!.IpAddresses, ["192.0.2.1", "198.18.0.1"], "its addresses are free again");
});

test("names, addresses and quotas that are wrong are refused", async (t) => {
  const { client } = await started(t, { accelerators: 2 });
  const create = (input: Partial<ga.CreateAcceleratorCommandInput>) =>
    client.createAccelerator({ Name: "a", IdempotencyToken: crypto.randomUUID(), ...input });
  for (const Name of ["", "-a", "a.", "a b", "a".repeat(65), "ä"])
    await assert.rejects(create({ Name }), named("InvalidArgumentException"), Name);
  await assert.rejects(
    create({ Name: "a".repeat(256) }),
    named("InvalidArgumentException", /1 validation error detected: Value at 'Name'/),
  );
  for (const address of ["203.0.113.1", "2001:db8::9", "x"])
    await assert.rejects(create({ IpAddresses: [address] }), named("InvalidArgumentException"));
  await assert.rejects(
    create({ IpAddressType: "IPV6" as "IPV4" }),
    named("InvalidArgumentException", /enum value set: \[IPV4, DUAL_STACK\]/),
  );
  const first = await create({ IpAddresses: ["198.18.0.200"] });
  assert.deepEqual(first.Accelerator!.IpSets![0]!.IpAddresses, ["198.18.0.200", "192.0.2.1"]);
  await assert.rejects(create({ IpAddresses: ["198.18.0.200"] }), named("InvalidArgumentException", /in use/));
  const { AcceleratorArn } = first.Accelerator!;
  const moved = await client.updateAccelerator({ AcceleratorArn: AcceleratorArn!, IpAddresses: ["198.18.0.200", "198.18.0.201"] });
  assert.deepEqual(moved.Accelerator!.IpSets![0]!.IpAddresses, ["198.18.0.200", "198.18.0.201"]);
  await assert.rejects(
    client.updateAccelerator({ AcceleratorArn: AcceleratorArn!, IpAddresses: ["198.18.0.5"], IpAddressType: "DUAL_STACK" }),
    named("ConflictException"),
  );
  await create({});
  await assert.rejects(create({}), named("LimitExceededException"));
});

test("wrong ARNs: not one, of another kind, of another account, of nothing", async (t) => {
  const { client } = await started(t);
  const { AcceleratorArn, ListenerArn } = await withListener(client);
  for (const arn of ["", "x", ListenerArn, `${AcceleratorArn}/listener`, AcceleratorArn.replace("globalaccelerator", "ivs")])
    await assert.rejects(client.describeAccelerator({ AcceleratorArn: arn }), named("InvalidArgumentException"), arn);
  await assert.rejects(client.describeAccelerator({ AcceleratorArn: missing }), named("AcceleratorNotFoundException"));
  const foreign = AcceleratorArn.replace("123456789012", "210987654321");
  await assert.rejects(client.describeAccelerator({ AcceleratorArn: foreign }), named("AcceleratorNotFoundException"));
  await assert.rejects(client.describeListener({ ListenerArn: AcceleratorArn }), named("InvalidArgumentException"));
  await assert.rejects(client.describeListener({ ListenerArn: `${AcceleratorArn}/listener/00000000` }), named("ListenerNotFoundException"));
  await assert.rejects(
    client.describeListener({ ListenerArn: ListenerArn.replace(/accelerator\/[^/]+/, missing.slice(-48)) }),
    named("ListenerNotFoundException"),
  );
  const group = `${ListenerArn}/endpoint-group/000000000000`;
  await assert.rejects(client.describeEndpointGroup({ EndpointGroupArn: group }), named("EndpointGroupNotFoundException"));
  await assert.rejects(
    client.describeCustomRoutingAccelerator({ AcceleratorArn }),
    named("AcceleratorNotFoundException"),
    "of the other kind",
  );
});

test("the same token makes the same thing once; with other parameters it is refused", async (t) => {
  const { client } = await started(t);
  const create = (Name: string, IdempotencyToken: string) => client.createAccelerator({ Name, IdempotencyToken });
  const [first, again] = await Promise.all([create("a", "t"), create("a", "t")]);
  assert.equal(again.Accelerator!.AcceleratorArn, first.Accelerator!.AcceleratorArn);
  await assert.rejects(create("b", "t"), named("InvalidArgumentException", /token/));
  const other = await create("a", "T");
  assert.notEqual(other.Accelerator!.AcceleratorArn, first.Accelerator!.AcceleratorArn, "tokens are case-sensitive");
  assert.equal((await client.listAccelerators({})).Accelerators!.length, 2);
  const AcceleratorArn = first.Accelerator!.AcceleratorArn!;
  const listener = { AcceleratorArn, PortRanges: [{ FromPort: 1, ToPort: 2 }], Protocol: "UDP" as const, IdempotencyToken: "t" };
  const made = await client.createListener(listener);
  assert.equal((await client.createListener(listener)).Listener!.ListenerArn, made.Listener!.ListenerArn);
  await client.deleteListener({ ListenerArn: made.Listener!.ListenerArn! });
  await assert.rejects(client.createListener(listener), named("InvalidArgumentException", /deleted/));
});

test("listeners: ranges that nobody else has, groups before them, pages", async (t) => {
  const { client } = await started(t);
  const { AcceleratorArn, ListenerArn } = await withListener(client);
  const create = (FromPort: number, ToPort: number, Protocol: "TCP" | "UDP" = "TCP") =>
    client.createListener({ AcceleratorArn, PortRanges: [{ FromPort, ToPort }], Protocol, IdempotencyToken: crypto.randomUUID() });
  await assert.rejects(create(79, 81), named("InvalidPortRangeException"));
  await assert.rejects(create(9, 8), named("InvalidPortRangeException"));
  await assert.rejects(create(0, 8), named("InvalidArgumentException"));
  await create(79, 81, "UDP");
  const twice = { FromPort: 5, ToPort: 9 };
  await assert.rejects(client.updateListener({ ListenerArn, PortRanges: [twice, twice] }), named("InvalidPortRangeException"));
  const changed = await client.updateListener({ ListenerArn, ClientAffinity: "SOURCE_IP", PortRanges: [twice] });
  assert.equal(changed.Listener!.ClientAffinity, "SOURCE_IP");
  assert.deepEqual(changed.Listener!.PortRanges, [twice]);
  for (let i = 0; i < 8; i++) await create(1000 + i, 1000 + i);
  await assert.rejects(create(2000, 2000), named("LimitExceededException"));
  const arns: string[] = [];
  for await (const page of ga.paginateListListeners({ client, pageSize: 3 }, { AcceleratorArn }))
    arns.push(...page.Listeners!.map((listener) => listener.ListenerArn!));
  assert.equal(arns.length, 10);
  assert.equal(new Set(arns).size, 10);
  await assert.rejects(client.listListeners({ AcceleratorArn, NextToken: "Zm9v" }), named("InvalidNextTokenException"));
  await assert.rejects(client.listListeners({ AcceleratorArn, MaxResults: 101 }), named("InvalidArgumentException"));
  const { EndpointGroup } = await client.createEndpointGroup({ ListenerArn, EndpointGroupRegion: "eu", IdempotencyToken: "g" });
  await assert.rejects(client.deleteListener({ ListenerArn }), named("AssociatedEndpointGroupFoundException"));
  await client.deleteEndpointGroup({ EndpointGroupArn: EndpointGroup!.EndpointGroupArn! });
  await client.deleteListener({ ListenerArn });
  await client.updateAccelerator({ AcceleratorArn, Enabled: false });
  await assert.rejects(client.deleteAccelerator({ AcceleratorArn }), named("AssociatedListenerFoundException"));
});

test("endpoint groups: AWS's defaults, one for a region, settings that stay when others change", async (t) => {
  const { installation, client } = await started(t, { endpointGroups: 2 });
  const { ListenerArn } = await withListener(client);
  const create = (EndpointGroupRegion: string, more = {}) =>
    client.createEndpointGroup({ ListenerArn, EndpointGroupRegion, IdempotencyToken: crypto.randomUUID(), ...more });
  const { EndpointGroup: bare } = await create("eu-central-1");
  assert.match(bare!.EndpointGroupArn!, /\/listener\/[0-9a-f]{8}\/endpoint-group\/[0-9a-f]{12}$/);
  const { EndpointGroupArn: _, ...defaults } = bare!;
  assert.deepEqual(defaults, {
    EndpointGroupRegion: "eu-central-1",
    EndpointDescriptions: [],
    TrafficDialPercentage: 100,
    HealthCheckPort: 80,
    HealthCheckProtocol: "TCP",
    HealthCheckIntervalSeconds: 30,
    ThresholdCount: 3,
    PortOverrides: [],
  });
  await assert.rejects(create("eu-central-1"), named("EndpointGroupAlreadyExistsException"));
  await assert.rejects(create("no region"), named("InvalidArgumentException"));
  const EndpointConfigurations = [{ EndpointId: "10.0.0.1", Weight: 1 }, { EndpointId: "media.example.org:5060" }];
  const { EndpointGroup } = await create("my-cellar", { EndpointConfigurations, TrafficDialPercentage: 12.5, HealthCheckProtocol: "HTTP" });
  const EndpointGroupArn = EndpointGroup!.EndpointGroupArn!;
  assert.equal(EndpointGroup!.HealthCheckPath, "/");
  assert.deepEqual(EndpointGroup!.EndpointDescriptions, [
    { EndpointId: "10.0.0.1", Weight: 1, HealthState: "INITIAL", ClientIPPreservationEnabled: false },
    { EndpointId: "media.example.org:5060", Weight: 128, HealthState: "INITIAL", ClientIPPreservationEnabled: false },
  ]);
  installation.edges.states.set(healthKey(EndpointGroupArn.slice(-12), "10.0.0.1"), "HEALTHY");
  const dialled = await client.updateEndpointGroup({ EndpointGroupArn, TrafficDialPercentage: 0 });
  assert.equal(dialled.EndpointGroup!.TrafficDialPercentage, 0);
  assert.equal(dialled.EndpointGroup!.HealthCheckProtocol, "HTTP");
  assert.deepEqual(
    dialled.EndpointGroup!.EndpointDescriptions!.map(({ HealthState }) => HealthState),
    ["HEALTHY", "INITIAL"],
  );
  await assert.rejects(create("third"), named("LimitExceededException"));
  await assert.rejects(client.updateEndpointGroup({ EndpointGroupArn, TrafficDialPercentage: 101 }), named("InvalidArgumentException"));
  const listed = await client.listEndpointGroups({ ListenerArn, MaxResults: 1 });
  assert.equal(listed.EndpointGroups![0]!.EndpointGroupRegion, "eu-central-1");
  const rest = await client.listEndpointGroups({ ListenerArn, NextToken: listed.NextToken! });
  assert.equal(rest.EndpointGroups!.length, 1);
  assert.equal(rest.NextToken, undefined);
});

test("endpoints: added, weighted, removed, at most ten; what is none here is named", async (t) => {
  const { client } = await started(t);
  const { ListenerArn } = await withListener(client);
  const { EndpointGroup } = await client.createEndpointGroup({ ListenerArn, EndpointGroupRegion: "eu", IdempotencyToken: "g" });
  const EndpointGroupArn = EndpointGroup!.EndpointGroupArn!;
  const add = (...ids: string[]) =>
    client.addEndpoints({ EndpointGroupArn, EndpointConfigurations: ids.map((EndpointId) => ({ EndpointId })) });
  const ids = async (): Promise<string[]> =>
    (await client.describeEndpointGroup({ EndpointGroupArn })).EndpointGroup!.EndpointDescriptions!.map(({ EndpointId }) => EndpointId!);
  for (const wrong of [
    "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/a/1",
    "eipalloc-0123456789abcdef0",
    "i-0123456789abcdef0",
    "10.0.0.256",
    "a:0",
    "a:65536",
    "a b",
    "http://a",
    "[10.0.0.1]:5",
    "",
  ])
    await assert.rejects(add(wrong), named("InvalidArgumentException"), wrong);
  const good = ["10.0.0.1", "10.0.0.1:81", "[2001:db8::1]:443", "2001:db8::1", "a.example.org", "host_1:5060"];
  assert.equal((await add(...good)).EndpointDescriptions!.length, good.length);
  assert.deepEqual(await ids(), good);
  await client.addEndpoints({ EndpointGroupArn, EndpointConfigurations: [{ EndpointId: "10.0.0.1", Weight: 7 }] });
  assert.deepEqual(await ids(), good, "added again, it keeps its place");
  await assert.rejects(add("b", "b"), named("InvalidArgumentException", /twice/));
  await assert.rejects(add("b", "c", "d", "e", "f"), named("LimitExceededException"));
  await client.removeEndpoints({ EndpointGroupArn, EndpointIdentifiers: [{ EndpointId: "10.0.0.1" }, { EndpointId: "host_1:5060" }] });
  assert.deepEqual(await ids(), good.slice(1, 5));
  await assert.rejects(
    client.removeEndpoints({ EndpointGroupArn, EndpointIdentifiers: [{ EndpointId: "x" }] }),
    named("InvalidArgumentException"),
  );
  await client.updateEndpointGroup({ EndpointGroupArn, EndpointConfigurations: [{ EndpointId: "z", ClientIPPreservationEnabled: true }] });
  assert.deepEqual(await ids(), ["z"]);
  await client.updateEndpointGroup({ EndpointGroupArn, EndpointConfigurations: [] });
  assert.deepEqual(await ids(), []);
  await assert.rejects(
    client.addEndpoints({ EndpointGroupArn, EndpointConfigurations: [{ EndpointId: "a", AttachmentArn: "arn:x" }] }),
    named("AccessDeniedException"),
  );
});

test("port overrides: of the listener's ports, to ports no listener has, each from one port only", async (t) => {
  const { client } = await started(t);
  const { AcceleratorArn, ListenerArn } = await withListener(client);
  const { EndpointGroup } = await client.createEndpointGroup({ ListenerArn, EndpointGroupRegion: "eu", IdempotencyToken: "g" });
  const EndpointGroupArn = EndpointGroup!.EndpointGroupArn!;
  const override = (...pairs: (readonly [number, number])[]) =>
    client.updateEndpointGroup({
      EndpointGroupArn,
      PortOverrides: pairs.map(([ListenerPort, EndpointPort]) => ({ ListenerPort, EndpointPort })),
    });
  await assert.rejects(override([81, 8081]), named("InvalidArgumentException", /not one of the listener's/));
  await assert.rejects(override([80, 443]), named("InvalidArgumentException", /lies in a listener's port range/));
  await assert.rejects(override([80, 8080], [80, 8081]), named("InvalidArgumentException", /twice/));
  await assert.rejects(override([80, 8080], [443, 8080]), named("InvalidArgumentException"));
  const done = await override([80, 8080], [443, 8443]);
  assert.equal(done.EndpointGroup!.PortOverrides!.length, 2);
  const more = { AcceleratorArn, Protocol: "UDP" as const, IdempotencyToken: "u" };
  await assert.rejects(
    client.createListener({ ...more, PortRanges: [{ FromPort: 8000, ToPort: 9000 }] }),
    named("InvalidPortRangeException"),
  );
  await assert.rejects(
    client.updateListener({ ListenerArn, PortRanges: [{ FromPort: 80, ToPort: 80 }] }),
    named("InvalidPortRangeException"),
  );
  const other = await client.createEndpointGroup({
    ListenerArn,
    EndpointGroupRegion: "us",
    IdempotencyToken: "o",
    PortOverrides: [{ ListenerPort: 80, EndpointPort: 8080 }],
  });
  assert.equal(other.EndpointGroup!.PortOverrides!.length, 1, "the same pair in another region");
  const none = await override();
  assert.deepEqual(none.EndpointGroup!.PortOverrides, []);
});

test("status: in progress until every edge has the change", async (t) => {
  const { installation, client } = await started(t);
  installation.edges.revision = 0;
  const { AcceleratorArn } = await withListener(client);
  const status = async () => (await client.describeAccelerator({ AcceleratorArn })).Accelerator!.Status;
  assert.equal(await status(), "IN_PROGRESS");
  installation.edges.revision = 1;
  assert.equal(await status(), "IN_PROGRESS", "the listener came after");
  installation.edges.revision = 2;
  assert.equal(await status(), "DEPLOYED");
  await client.updateAcceleratorAttributes({ AcceleratorArn, FlowLogsEnabled: false });
  assert.equal(await status(), "IN_PROGRESS");
});

test("flow logs need a place; tags that are settings are checked", async (t) => {
  const { client } = await started(t);
  const { AcceleratorArn, ListenerArn } = await withListener(client);
  await assert.rejects(client.updateAcceleratorAttributes({ AcceleratorArn, FlowLogsEnabled: true }), named("InvalidArgumentException"));
  const place = { FlowLogsS3Bucket: "logs", FlowLogsS3Prefix: "ga" };
  const { AcceleratorAttributes } = await client.updateAcceleratorAttributes({ AcceleratorArn, FlowLogsEnabled: true, ...place });
  assert.deepEqual(AcceleratorAttributes, { FlowLogsEnabled: true, ...place });
  assert.deepEqual((await client.describeAcceleratorAttributes({ AcceleratorArn })).AcceleratorAttributes, AcceleratorAttributes);
  const tag = (ResourceArn: string, Key: string, Value: string) => client.tagResource({ ResourceArn, Tags: [{ Key, Value }] });
  await tag(AcceleratorArn, "longhaul:drain-seconds", "60");
  await tag(ListenerArn, "who", "us");
  await assert.rejects(tag(AcceleratorArn, "longhaul:drain-seconds", "soon"), named("InvalidArgumentException"));
  await assert.rejects(tag(AcceleratorArn, "longhaul:other", "1"), named("InvalidArgumentException", /longhaul:repin/));
  await assert.rejects(tag(AcceleratorArn, "aws:x", "1"), named("InvalidArgumentException"));
  await assert.rejects(tag(`${ListenerArn}/endpoint-group/000000000000`, "a", "1"), named("EndpointGroupNotFoundException"));
  await assert.rejects(tag(missing, "a", "1"), named("AcceleratorNotFoundException"));
  assert.deepEqual((await client.listTagsForResource({ ResourceArn: AcceleratorArn })).Tags, [
    { Key: "longhaul:drain-seconds", Value: "60" },
  ]);
  await client.untagResource({ ResourceArn: AcceleratorArn, TagKeys: ["longhaul:drain-seconds", "none"] });
  assert.deepEqual((await client.listTagsForResource({ ResourceArn: AcceleratorArn })).Tags, []);
  const many = Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: "" }));
  await assert.rejects(client.tagResource({ ResourceArn: AcceleratorArn, Tags: many }), named("InvalidArgumentException"));
});

test("own address ranges: provisioned, advertised, used, withdrawn, released", async (t) => {
  const { installation, client } = await started(t);
  const context = { CidrAuthorizationContext: { Message: "1|aws|…", Signature: "s" } };
  const provision = (Cidr: string) => client.provisionByoipCidr({ Cidr, ...context });
  for (const wrong of ["203.0.113.1/24", "203.0.113.0", "2001:db8::/48", "10.0.0.0/7", "192.0.2.0/24", "x"])
    await assert.rejects(provision(wrong), named("InvalidArgumentException"), wrong);
  installation.edges.revision = 0;
  const Cidr = "203.0.113.0/24";
  assert.equal((await provision(Cidr)).ByoipCidr!.State, "READY");
  await assert.rejects(provision(Cidr), named("IncorrectCidrStateException"));
  await assert.rejects(provision("203.0.113.128/25"), named("InvalidArgumentException"));
  await assert.rejects(client.withdrawByoipCidr({ Cidr }), named("IncorrectCidrStateException"));
  assert.equal((await client.advertiseByoipCidr({ Cidr })).ByoipCidr!.State, "PENDING_ADVERTISING");
  installation.edges.revision = 2;
  const [listed] = (await client.listByoipCidrs({})).ByoipCidrs!;
  assert.equal(listed!.State, "ADVERTISING");
  assert.deepEqual(
    listed!.Events!.map(({ Message }) => Message),
    ["provisioned", "advertised"],
  );
  const { Accelerator } = await client.createAccelerator({ Name: "a", IdempotencyToken: "a", IpAddresses: ["203.0.113.7"] });
  assert.deepEqual(Accelerator!.IpSets![0]!.IpAddresses, ["203.0.113.7", "192.0.2.1"]);
  assert.equal((await client.withdrawByoipCidr({ Cidr })).ByoipCidr!.State, "PENDING_WITHDRAWING");
  await assert.rejects(client.deprovisionByoipCidr({ Cidr }), named("IncorrectCidrStateException", /203\.0\.113\.7/));
  await client.updateAccelerator({ AcceleratorArn: Accelerator!.AcceleratorArn!, Enabled: false });
  await client.deleteAccelerator({ AcceleratorArn: Accelerator!.AcceleratorArn! });
  assert.equal((await client.deprovisionByoipCidr({ Cidr })).ByoipCidr!.State, "DEPROVISIONED");
  await assert.rejects(client.advertiseByoipCidr({ Cidr }), named("ByoipCidrNotFoundException"));
  await provision("198.51.100.0/24");
  await provision("203.0.113.0/24");
  await assert.rejects(provision("233.252.0.0/24"), named("LimitExceededException"));
});

test("cross-account: an account without any", async (t) => {
  const { client } = await started(t);
  const AttachmentArn = "arn:aws:globalaccelerator::123456789012:attachment/00000000-0000-4000-8000-000000000000";
  await assert.rejects(client.createCrossAccountAttachment({ Name: "a", IdempotencyToken: "t" }), named("AccessDeniedException"));
  await assert.rejects(client.describeCrossAccountAttachment({ AttachmentArn }), named("AttachmentNotFoundException"));
  await assert.rejects(client.updateCrossAccountAttachment({ AttachmentArn }), named("AttachmentNotFoundException"));
  await assert.rejects(client.deleteCrossAccountAttachment({ AttachmentArn }), named("AttachmentNotFoundException"));
  assert.deepEqual((await client.listCrossAccountAttachments({})).CrossAccountAttachments, []);
  assert.deepEqual((await client.listCrossAccountResourceAccounts({})).ResourceOwnerAwsAccountIds, []);
  assert.deepEqual((await client.listCrossAccountResources({ ResourceOwnerAwsAccountId: "123456789012" })).CrossAccountResources, []);
  await assert.rejects(client.listTagsForResource({ ResourceArn: AttachmentArn }), named("AttachmentNotFoundException"));
});

test("roles: who looks, who turns dials, who builds", async (t) => {
  const { installation, client } = await started(t);
  const { AcceleratorArn, ListenerArn } = await withListener(client);
  const { EndpointGroup } = await client.createEndpointGroup({ ListenerArn, EndpointGroupRegion: "eu", IdempotencyToken: "g" });
  const EndpointGroupArn = EndpointGroup!.EndpointGroupArn!;
  const reader = new ga.GlobalAccelerator(await installation.client("read-only"));
  const operator = new ga.GlobalAccelerator(await installation.client("operator"));
  await reader.describeEndpointGroup({ EndpointGroupArn });
  await assert.rejects(reader.updateEndpointGroup({ EndpointGroupArn, TrafficDialPercentage: 5 }), named("AccessDeniedException"));
  await operator.updateEndpointGroup({ EndpointGroupArn, TrafficDialPercentage: 5 });
  await assert.rejects(operator.updateAccelerator({ AcceleratorArn, Enabled: false }), named("AccessDeniedException"));
  const rows = await installation.context.database.selectFrom("audit").selectAll().orderBy("id").execute();
  assert.deepEqual(
    rows.slice(3).map(({ operation, resource, outcome }) => [operation, resource, outcome]),
    [
      ["UpdateEndpointGroup", "", "AccessDeniedException"],
      ["UpdateEndpointGroup", EndpointGroupArn, "ok"],
      ["UpdateAccelerator", "", "AccessDeniedException"],
    ],
  );
});
