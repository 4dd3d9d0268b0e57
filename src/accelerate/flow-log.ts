/**
 * Flow logs in the format of AWS Global Accelerator, version 1.0: a line for each direction of a flow in which something passed within a window.
 *
 *   version account accelerator_id client_ip client_port gip gip_port endpoint_ip endpoint_port protocol ip_address_type packets bytes start_time end_time
 *   action log_status globalaccelerator_source_ip globalaccelerator_source_port endpoint_region globalaccelerator_region direction
 *
 * Source: Global Accelerator's developer guide, "Flow logs" (reference/aws-live.md section 2). Deviations: bytes are those of the flow's payload, of the kernel's
 * flows those of IP packets; packets of connections are not known here ("-"), as little as the source of those that a tunnel makes. What a flow of
 * the kernel carried between the last look at it and its end is missing.
 */
import type { Traffic } from "../base/traffic.ts";
import type { FlowLogs } from "./edge-config.ts";
import type { FlowObservation } from "./observation.ts";

export const HEADER = [
  ...["version", "account", "accelerator_id", "client_ip", "client_port", "gip", "gip_port", "endpoint_ip", "endpoint_port", "protocol"],
  ...["ip_address_type", "packets", "bytes", "start_time", "end_time", "action", "log_status", "globalaccelerator_source_ip"],
  ...["globalaccelerator_source_port", "endpoint_region", "globalaccelerator_region", "direction"],
].join(" ");

/** Unix seconds. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** What flows had carried when they were last written. */
export class FlowLedger {
  #known = new Map<string, Traffic>();

  /** Lines of what these flows carried since they were last given. `ended` are given once more after they ended, `running` in every window. */
  lines(
    ended: readonly FlowObservation[],
    running: readonly FlowObservation[],
    settings: ReadonlyMap<string, FlowLogs>,
    edge: string,
    window: Window,
  ): Map<string, string[]> {
    const lines = new Map<string, string[]>();
    const write = (flow: FlowObservation): void => {
      const own = settings.get(flow.accelerator);
      if (own === undefined) return;
      const before = this.#known.get(keyOf(flow));
      let list = lines.get(flow.accelerator);
      if (list === undefined) {
        list = [];
        lines.set(flow.accelerator, list);
      }
      for (const direction of ["INGRESS", "EGRESS"] as const) {
        const line = lineOf(flow, before, direction, own, edge, window);
        if (line !== undefined) list.push(line);
      }
    };
    for (const flow of ended) {
      write(flow);
      // Another flow of the same ends may run by now, which begins at 0.
      this.#known.delete(keyOf(flow));
    }
    const known = new Map<string, Traffic>();
    for (const flow of running) {
      write(flow);
      const { bytesIn, bytesOut, packetsIn = 0, packetsOut = 0 } = flow;
      if (settings.has(flow.accelerator)) known.set(keyOf(flow), { bytesIn, bytesOut, packetsIn, packetsOut });
    }
    this.#known = known;
    return lines;
  }
}

/** `status` NODATA: nothing passed in the window. SKIPDATA: something did that was not written. */
export function emptyLine(accelerator: string, { account }: FlowLogs, status: "NODATA" | "SKIPDATA", edge: string, window: Window): string {
  const unknown = (count: number): string[] => Array.from({ length: count }, () => "-");
  return ["1.0", account, accelerator, ...unknown(10), window.from, window.to, "-", status, ...unknown(3), edge, "-"].join(" ");
}

function lineOf(
  flow: FlowObservation,
  before: Traffic | undefined,
  direction: "INGRESS" | "EGRESS",
  { account }: FlowLogs,
  edge: string,
  window: Window,
): string | undefined {
  const [bytes, packets] = direction === "INGRESS" ? (["bytesIn", "packetsIn"] as const) : (["bytesOut", "packetsOut"] as const);
  const moved = flow[bytes] - (before?.[bytes] ?? 0);
  const datagrams = flow[packets] === undefined ? undefined : flow[packets] - (before?.[packets] ?? 0);
  if (moved <= 0 && (datagrams ?? 0) <= 0) return undefined;
  const { accelerator, protocol, source, at, endpoint, seenAs, region, seconds } = flow;
  const start = seconds === undefined ? window.from : Math.max(window.from, window.to - Math.ceil(seconds));
  const address = source.startsWith("[") ? "IPV6" : "IPV4";
  return [
    ...["1.0", account, accelerator, ...ends(source), ...ends(at), ...ends(endpoint), protocol, address, datagrams ?? "-", moved],
    ...[start, window.to, "ACCEPT", "OK", ...ends(seenAs), region === "" ? "-" : region.replaceAll(" ", "_"), edge, direction],
  ].join(" ");
}

function ends(place: string): [host: string, port: string] {
  const colon = place.lastIndexOf(":");
  return colon < 0 ? ["-", "-"] : [place.slice(0, colon).replace(/^\[|\]$/g, ""), place.slice(colon + 1)];
}

function keyOf({ accelerator, way, protocol, source, at }: FlowObservation): string {
  return `${accelerator} ${way} ${protocol} ${source} ${at}`;
}
