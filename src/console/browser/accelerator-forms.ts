/** What makes accelerators and what is in them: Global Accelerator's operations behind forms of few fields; what is left out has the API's defaults. */
import type * as ga from "@aws-sdk/client-global-accelerator";
import { call } from "./control-calls.ts";
import { makeForm, type Values } from "./make-form.ts";

/** `done`: what was made is to be shown. */
export function acceleratorForm(done: () => Promise<unknown>): HTMLElement {
  const fields = [{ name: "name", label: "Name", placeholder: "voice" }];
  return makeForm("New accelerator", fields, async ({ name: Name }) => {
    await call<object>("CreateAccelerator", { Name, IdempotencyToken: token() });
    await done();
  });
}

export function listenerForm(AcceleratorArn: string, done: () => Promise<unknown>): HTMLElement {
  const fields = [
    { name: "protocol", label: "Protocol", type: ["TCP", "UDP"] },
    { name: "ports", label: "Ports", placeholder: "443, 10000-20000" },
    { name: "affinity", label: "Affinity", type: ["NONE", "SOURCE_IP"] },
  ];
  return makeForm("New listener", fields, async ({ protocol: Protocol, ports = "", affinity: ClientAffinity }) => {
    const input = { AcceleratorArn, Protocol, ClientAffinity, PortRanges: rangesOf(ports), IdempotencyToken: token() };
    await call<object>("CreateListener", input);
    await done();
  });
}

export function groupForm(ListenerArn: string, done: () => Promise<unknown>): HTMLElement {
  const fields = [
    { name: "region", label: "Region", placeholder: "frankfurt" },
    { name: "protocol", label: "Health check", type: ["TCP", "HTTP", "HTTPS"] },
    { name: "port", label: "Its port", type: "number" as const, optional: true, placeholder: "the listener's" },
  ];
  return makeForm("New endpoint group", fields, async ({ region: EndpointGroupRegion, protocol: HealthCheckProtocol, port }) => {
    const check = { HealthCheckProtocol, ...(port === "" ? {} : { HealthCheckPort: Number(port) }) };
    await call<object>("CreateEndpointGroup", { ListenerArn, EndpointGroupRegion, ...check, IdempotencyToken: token() });
    await done();
  });
}

export function endpointForm(EndpointGroupArn: string, done: () => Promise<unknown>): HTMLElement {
  const fields = [
    { name: "id", label: "Address or name", placeholder: "10.0.0.5 or sip.example.org:5080" },
    { name: "weight", label: "Weight", type: "number" as const, value: "128" },
  ];
  return makeForm("New endpoint", fields, async ({ id: EndpointId, weight }: Values) => {
    await call<object>("AddEndpoints", { EndpointGroupArn, EndpointConfigurations: [{ EndpointId, Weight: Number(weight) }] });
    await done();
  });
}

/** It must be disabled first, and have no listeners, as with AWS; one that has some stays enabled. */
export async function deleteAccelerator(AcceleratorArn: string): Promise<void> {
  const { Listeners = [] } = await call<ga.ListListenersCommandOutput>("ListListeners", { AcceleratorArn });
  if (Listeners.length > 0) throw new Error("the accelerator has listeners; delete them first");
  await call<object>("UpdateAccelerator", { AcceleratorArn, Enabled: false });
  await call<object>("DeleteAccelerator", { AcceleratorArn });
}

/** "443, 10000-20000". @throws Error */
function rangesOf(text: string): { FromPort: number; ToPort: number }[] {
  return text.split(",").map((piece) => {
    const match = /^\s*(\d{1,5})(?:\s*[-–]\s*(\d{1,5}))?\s*$/.exec(piece);
    if (match === null) throw new Error(`"${piece.trim()}" is neither a port nor a range of ports, such as 443 or 10000-20000`);
    return { FromPort: Number(match[1]), ToPort: Number(match[2] ?? match[1]) };
  });
}

/** A click makes one thing, however often the request is sent. */
function token(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
