import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { silentLog } from "../host/log.ts";
import { edgeConfig } from "./edge-config.ts";
import { FlowLedger, HEADER } from "./flow-log.ts";
import { FlowLogger } from "./flow-logger.ts";
import type { FlowObservation } from "./observation.ts";

const settings = new Map([["acc", { bucket: "logs", prefix: "p", account: "123456789012" }]]);

function flowOf(more: Partial<FlowObservation>): FlowObservation {
  return {
    ...{ accelerator: "acc", listener: "l", protocol: "UDP", way: "userspace", source: "192.0.2.7:40000", at: "198.51.100.1:5060" },
    ...{ seenAs: "10.0.0.1:6000", endpoint: "10.0.1.11:5061", endpointId: "e", region: "eu-central-1", why: "dial" },
    ...{ bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0, seconds: 5, idleSeconds: 0, ...more },
  };
}

/** Fields of the lines by the header's names. */
function read(lines: Iterable<string>): Record<string, string>[] {
  const names = HEADER.split(" ");
  return Array.from(lines, (line) => {
    const fields = line.split(" ");
    assert.equal(fields.length, names.length, line);
    return Object.fromEntries(names.map((name, i) => [name, fields[i]!]));
  });
}

test("a line for each direction, field by field", () => {
  const lines = new FlowLedger().lines([], [flowOf({ bytesIn: 100, packetsIn: 2, bytesOut: 50, packetsOut: 1 })], settings, "fra1", {
    from: 1000,
    to: 1060,
  });
  const [ingress, egress] = read(lines.get("acc")!);
  assert.deepEqual(ingress, {
    ...{ version: "1.0", account: "123456789012", accelerator_id: "acc", client_ip: "192.0.2.7", client_port: "40000" },
    ...{ gip: "198.51.100.1", gip_port: "5060", endpoint_ip: "10.0.1.11", endpoint_port: "5061", protocol: "UDP", ip_address_type: "IPV4" },
    ...{ packets: "2", bytes: "100", start_time: "1055", end_time: "1060", action: "ACCEPT", log_status: "OK" },
    ...{ globalaccelerator_source_ip: "10.0.0.1", globalaccelerator_source_port: "6000", endpoint_region: "eu-central-1" },
    ...{ globalaccelerator_region: "fra1", direction: "INGRESS" },
  });
  assert.deepEqual([egress!.direction, egress!.bytes, egress!.packets], ["EGRESS", "50", "1"]);
});

test("a window has what was new in it, an ended flow its rest, and its successor of the same ends all of its own", () => {
  const ledger = new FlowLedger();
  const bytes = (ended: FlowObservation[], running: FlowObservation[]): string[] =>
    read(ledger.lines(ended, running, settings, "e", { from: 0, to: 60 }).get("acc") ?? []).map(({ bytes }) => bytes!);
  assert.deepEqual(bytes([], [flowOf({ bytesIn: 100 })]), ["100"]);
  assert.deepEqual(bytes([], [flowOf({ bytesIn: 100 })]), []);
  assert.deepEqual(bytes([], [flowOf({ bytesIn: 130 })]), ["30"]);
  assert.deepEqual(bytes([flowOf({ bytesIn: 140 })], [flowOf({ bytesIn: 7 })]), ["10", "7"]);
  assert.deepEqual(bytes([], [flowOf({ bytesIn: 9 })]), ["2"]);
});

test("IPv6, a connection, a flow of a tunnel: what is not known is a dash", () => {
  const {
    packetsIn: _in,
    packetsOut: _out,
    ...connection
  } = flowOf({ protocol: "TCP", way: "tunnel", seenAs: "", source: "[2001:db8::1]:5", at: "[2001:db8::2]:6", bytesIn: 1 });
  const [line] = read(new FlowLedger().lines([connection], [], settings, "e", { from: 0, to: 60 }).get("acc")!);
  assert.deepEqual(
    [
      line!.client_ip,
      line!.gip_port,
      line!.ip_address_type,
      line!.packets,
      line!.globalaccelerator_source_ip,
      line!.globalaccelerator_source_port,
    ],
    ["2001:db8::1", "6", "IPV6", "-", "-", "-"],
  );
});

test("files are named as AWS names them, with the header first; windows without data and with too much say so; a store that refuses loses one file", async () => {
  const config = edgeConfig.parse({
    revision: 1,
    accelerators: [
      { id: "acc", addresses: ["198.51.100.1"], flowLogs: settings.get("acc") },
      { id: "without", addresses: ["198.51.100.2"] },
    ],
  });
  const files: [bucket: string, key: string, text: string][] = [];
  const logger = (skipped: number, running: FlowObservation[], refuse = false): FlowLogger =>
    new FlowLogger({
      store: {
        put: async (bucket, key, bytes) => {
          if (refuse) throw new Error("full");
          files.push([bucket, key, gunzipSync(bytes).toString()]);
        },
      },
      ...{ log: silentLog, name: "e", now: () => Date.UTC(2026, 10, 21, 20, 5), config: () => config },
      logged: async () => ({ running, ended: [], skipped }),
    });
  const status = async (one: FlowLogger): Promise<string[]> => {
    await one.close();
    return read(files.pop()?.[2].trim().split("\n").slice(1) ?? []).map(({ log_status }) => log_status!);
  };
  await logger(0, [flowOf({ bytesIn: 3 }), flowOf({ accelerator: "without", bytesIn: 3 })]).close();
  const [bucket, key, text] = files.pop()!;
  assert.equal(bucket, "logs");
  assert.match(
    key,
    /^p\/AWSLogs\/123456789012\/globalaccelerator\/us-west-2\/2026\/11\/21\/123456789012_globalaccelerator_acc_fl-[0-9a-f]{16}_20261121T2005Z_[0-9a-f]{8}\.log\.gz$/,
  );
  assert.deepEqual(
    text.split("\n").map((line) => line.split(" ")[0]),
    ["version", "1.0", ""],
  );
  assert.equal(files.length, 0, "an accelerator without flow logs has no file");
  assert.deepEqual(await status(logger(0, [])), ["NODATA"]);
  assert.deepEqual(await status(logger(5, [flowOf({ bytesIn: 3 })])), ["OK", "SKIPDATA"]);
  const refused = logger(0, [], true);
  assert.deepEqual(await status(refused), []);
  assert.deepEqual([refused.counters.flowLogFiles, refused.counters.flowLogFilesLost], [0, 1]);
});
