/** Every one of the 56 operations is answered: with what it is for, or with an error that its model knows. */
import * as sdk from "@aws-sdk/client-global-accelerator";

type Call = (input: Record<string, unknown>) => Promise<unknown>;

/** Names of the SDK's operations. */
export const operationNames: readonly string[] = Object.keys(sdk)
  .filter((name) => /^[A-Z].*Command$/.test(name))
  .map((name) => name.slice(0, -"Command".length))
  .sort();

export function caller(client: sdk.GlobalAccelerator, operation: string): Call {
  const method = operation[0]!.toLowerCase() + operation.slice(1);
  return (client as unknown as Record<string, Call>)[method]!.bind(client);
}

const token = (): string => crypto.randomUUID();

/** A round through all operations, each with an input that succeeds, in an order in which it can; the seven of cross-account sharing as they answer here. */
export async function everyOperation(
  client: sdk.GlobalAccelerator,
): Promise<{ readonly answered: Map<string, string>; readonly made: string[] }> {
  const answered = new Map<string, string>();
  const made: string[] = [];
  async function call<Result>(operation: string, input: Record<string, unknown>): Promise<Result> {
    try {
      const result = await caller(client, operation)(input);
      answered.set(operation, "ok");
      return result as Result;
    } catch (error) {
      answered.set(operation, (error as Error).name);
      return {} as Result;
    }
  }
  const attachment = { AttachmentArn: "arn:aws:globalaccelerator::000000000000:attachment/00000000-0000-4000-8000-000000000000" };
  const cidr = { Cidr: "203.0.113.0/24" };
  await call("ProvisionByoipCidr", { ...cidr, CidrAuthorizationContext: { Message: "m", Signature: "s" } });
  await call("AdvertiseByoipCidr", cidr);
  await call("ListByoipCidrs", {});
  await call("WithdrawByoipCidr", cidr);
  await call("DeprovisionByoipCidr", cidr);
  for (const custom of [false, true]) {
    const named = (name: string): string => (custom ? name.replace(/(Accelerator|Listener|EndpointGroup)/, "CustomRouting$1") : name);
    const { Accelerator } = await call<sdk.CreateAcceleratorCommandOutput>(named("CreateAccelerator"), {
      Name: "every",
      IdempotencyToken: token(),
    });
    const accelerator = { AcceleratorArn: Accelerator?.AcceleratorArn };
    made.push(accelerator.AcceleratorArn ?? "");
    await call(named("DescribeAccelerator"), accelerator);
    await call(named("DescribeAcceleratorAttributes"), accelerator);
    await call(named("UpdateAcceleratorAttributes"), { ...accelerator, FlowLogsEnabled: false });
    await call(named("ListAccelerators"), {});
    const PortRanges = [{ FromPort: 1000, ToPort: 1099 }];
    const { Listener } = await call<sdk.CreateListenerCommandOutput>(named("CreateListener"), {
      ...accelerator,
      PortRanges,
      ...(custom ? {} : { Protocol: "UDP" }),
      IdempotencyToken: token(),
    });
    const listener = { ListenerArn: Listener?.ListenerArn };
    await call(named("DescribeListener"), listener);
    await call(named("UpdateListener"), { ...listener, PortRanges });
    await call(named("ListListeners"), accelerator);
    const { EndpointGroup } = await call<sdk.CreateEndpointGroupCommandOutput>(named("CreateEndpointGroup"), {
      ...listener,
      EndpointGroupRegion: "eu",
      ...(custom ? { DestinationConfigurations: [{ FromPort: 80, ToPort: 81, Protocols: ["TCP"] }] } : {}),
      IdempotencyToken: token(),
    });
    const group = { EndpointGroupArn: EndpointGroup?.EndpointGroupArn };
    await call(named("DescribeEndpointGroup"), group);
    await call(named("ListEndpointGroups"), listener);
    if (custom) {
      const EndpointId = "10.0.0.0/28";
      await call("AddCustomRoutingEndpoints", { ...group, EndpointConfigurations: [{ EndpointId }] });
      await call("AllowCustomRoutingTraffic", { ...group, EndpointId, AllowAllTrafficToEndpoint: true });
      await call("DenyCustomRoutingTraffic", { ...group, EndpointId, DestinationAddresses: ["10.0.0.4"] });
      await call("ListCustomRoutingPortMappings", accelerator);
      await call("ListCustomRoutingPortMappingsByDestination", { EndpointId, DestinationAddress: "10.0.0.4" });
      await call("RemoveCustomRoutingEndpoints", { ...group, EndpointIds: [EndpointId] });
    } else {
      await call("UpdateEndpointGroup", { ...group, TrafficDialPercentage: 50 });
      await call("AddEndpoints", { ...group, EndpointConfigurations: [{ EndpointId: "10.0.0.1" }] });
      await call("RemoveEndpoints", { ...group, EndpointIdentifiers: [{ EndpointId: "10.0.0.1" }] });
      const ResourceArn = accelerator.AcceleratorArn;
      await call("TagResource", { ResourceArn, Tags: [{ Key: "a", Value: "b" }] });
      await call("ListTagsForResource", { ResourceArn });
      await call("UntagResource", { ResourceArn, TagKeys: ["a"] });
    }
    await call(named("DeleteEndpointGroup"), group);
    await call(named("DeleteListener"), listener);
    await call(named("UpdateAccelerator"), { ...accelerator, Enabled: false });
    await call(named("DeleteAccelerator"), accelerator);
  }
  await call("CreateCrossAccountAttachment", { Name: "a", IdempotencyToken: token() });
  await call("DescribeCrossAccountAttachment", attachment);
  await call("UpdateCrossAccountAttachment", attachment);
  await call("DeleteCrossAccountAttachment", attachment);
  await call("ListCrossAccountAttachments", {});
  await call("ListCrossAccountResourceAccounts", {});
  await call("ListCrossAccountResources", { ResourceOwnerAwsAccountId: "000000000000" });
  return { answered, made };
}
