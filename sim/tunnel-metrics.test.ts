/** The metrics of real tunnel ends in virtual time, read by a strict reader: they are well-formed, whole, and move with the traffic. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { newLoopCounters } from "../src/host/loop-counters.ts";
import type { WorkerObservation } from "../src/metrics/merge.ts";
import { Observer } from "../src/metrics/observer.ts";
import { pages } from "../src/metrics/pages.ts";
import { statusSchema } from "../src/metrics/status.ts";
import { Exposition } from "../src/metrics/testing/read-exposition.ts";
import { watchedTunnel } from "../src/metrics/tunnel-pages.ts";
import { Traffic, TunnelWorld } from "./tunnel-world.ts";

const facts = { release: "1.2.3", node: "26", io: "virtual", pid: 7, startedAt: 1, at: ":1", to: "b:2", cpuSeconds: 1.5, rssBytes: 1e8 };

function watched(of: TunnelWorld, end: "client" | "server", sessionsMax = 16, usersMax = 16) {
  const ask = async (questions: (worker: number) => Parameters<TunnelWorld["client"]["observe"]>[1]): Promise<WorkerObservation[]> => {
    return [{ loop: newLoopCounters(), cpuSeconds: 0.5, program: of[end].observe(of.network.now, questions(0)) }];
  };
  const observer = new Observer({ ask, now: () => of.network.now, sessionsMax: 100, streamsMax: 10, usersMax: 100 });
  const http = { connectionsDropped: 0 };
  return pages(
    watchedTunnel({ observer, facts: () => ({ ...facts, http }), wallClock: () => 1_000_000, series: { sessionsMax, usersMax } }),
  );
}

function world(options: Partial<ConstructorParameters<typeof TunnelWorld>[0]> = {}): TunnelWorld {
  return new TunnelWorld({ link: "delay=40 loss=10% rate=10mbit", seed: 3, client: { nocomp: "true" }, ...options }, (socket) => {
    const traffic = new Traffic(() => socket, { sendSeed: 2, expectSeed: 1, sendBytes: 300_000 });
    traffic.connected(0);
    return traffic;
  });
}

function connect(of: TunnelWorld): Traffic {
  let traffic: Traffic | undefined;
  of.connect((socket) => {
    traffic = new Traffic(socket, { sendSeed: 1, expectSeed: 2, sendBytes: 1000 });
    return traffic;
  });
  return traffic!;
}

async function scrape(app: ReturnType<typeof watched>, accept = "*/*"): Promise<Exposition> {
  const response = await app.request("/metrics", { headers: { accept } });
  assert.equal(response.status, 200);
  const open = response.headers.get("content-type")!.startsWith("application/openmetrics-text");
  assert.equal(open, accept !== "*/*");
  return new Exposition(await response.text(), open ? "openmetrics" : "text");
}

test("both formats of both ends are well-formed, before, during and after traffic; counters only rise", async () => {
  const of = world();
  const apps = [watched(of, "client"), watched(of, "server")];
  const before = await Promise.all(apps.map((app) => scrape(app)));
  connect(of);
  of.run(2);
  for (const app of apps) await scrape(app, "application/openmetrics-text");
  of.run(30);
  const after = await Promise.all(apps.map((app) => scrape(app)));
  before.forEach(({ families }, end) => {
    for (const [name, { type, samples }] of families) {
      if (type !== "counter") continue;
      for (const [series, value] of samples) assert.ok(after[end]!.value(series) >= value, `${name}: ${series} fell`);
    }
  });
  const [near, far] = after as [Exposition, Exposition];
  assert.equal(near.value('longhaul_payload_bytes_total{direction="received"}'), 300_000);
  assert.equal(far.value('longhaul_payload_bytes_total{direction="sent"}'), 300_000);
  assert.ok(near.value('longhaul_wire_bytes_total{direction="received"}') > 300_000);
  assert.ok(far.value('longhaul_retransmitted_segments_total{kind="fast"}') > 0);
  assert.ok(near.value("longhaul_fec_recovered_shards_total") > 0 && near.value('longhaul_fec_groups_total{outcome="repaired"}') > 0);
  assert.ok(near.value("longhaul_rtt_seconds_count") > 0);
  assert.equal(near.value('longhaul_rtt_seconds_bucket{le="0.064"}'), 0, "no round trip is shorter than twice 40 ms");
  const loss = near.value('longhaul_session_inbound_loss_ratio{session="0.1",peer="10.0.0.2:3000"}');
  assert.ok(loss > 0.03 && loss < 0.2, `${loss} of 10 % lost`);
  assert.equal(near.value('longhaul_build_info{version="1.2.3",node="26",role="client",io="virtual"}'), 1);
});

test("every counter of every module is in the metrics", async () => {
  const of = world();
  connect(of);
  of.run(5);
  const { counted } = of.server.observe(of.network.now, { sessionsMax: 0, streamsMax: 0 }).totals;
  const unique = new Map<number, string>();
  const marked = Object.fromEntries(
    Object.entries(counted).map(([module, counts]) => [
      module,
      Object.fromEntries(
        Object.keys(counts).map((name) => {
          const mark = 1_000_000 + unique.size;
          unique.set(mark, `${module}.${name}`);
          return [name, mark];
        }),
      ),
    ]),
  );
  const observe = of.server.observe.bind(of.server);
  of.server.observe = (now, question) => {
    const observation = observe(now, question);
    return { ...observation, totals: { ...observation.totals, counted: marked } };
  };
  const values = new Set((await scrape(watched(of, "server"))).samples.values());
  const copies = ["kcp.retransSegs", "kcp.inPkts", "kcp.outPkts", "kcp.inBytes", "kcp.outBytes", "cipher.sealed", "cipher.opened"];
  assert.deepEqual(
    [...unique]
      .filter(([mark]) => !values.has(mark))
      .map(([, name]) => name)
      .sort(),
    copies.sort(),
  );
});

test("garbage raises the drop counter of its kind and no other", async () => {
  const of = world({ server: { crypt: "aes" }, client: { crypt: "aes" } });
  const app = watched(of, "server");
  const drops = async (): Promise<Record<string, number>> => {
    of.run(1.1);
    const { samples } = (await scrape(app)).families.get("longhaul_dropped_datagrams_total")!;
    return Object.fromEntries(Array.from(samples, ([series, value]) => [/reason="(\w+)"/.exec(series)![1]!, value]));
  };
  const before = await drops();
  const socket = of.server.endpoint.socket as unknown as { deliver(bytes: Uint8Array, length: number, host: string, port: number): void };
  for (let i = 0; i < 5; i++) socket.deliver(new Uint8Array(900).fill(i), 900, "10.0.0.9", 5);
  for (let i = 0; i < 3; i++) socket.deliver(new Uint8Array(9), 9, "10.0.0.9", 5);
  assert.deepEqual(await drops(), { ...before, checksum: before.checksum! + 5, short: before.short! + 3 });
});

test("sessions have series of their own up to the option, and none with 0", async () => {
  const of = world({ client: { conn: 5 } });
  for (let i = 0; i < 5; i++) connect(of);
  of.run(2);
  const series = async (most: number): Promise<number> =>
    (await scrape(watched(of, "client", most))).families.get("longhaul_session_rtt_seconds")?.samples.size ?? 0;
  assert.deepEqual([await series(5), await series(2), await series(0)], [5, 2, 0]);
});

test("status is what its schema says, with the streams of the session asked for; healthz tells whether workers answer", async () => {
  const of = world();
  connect(of);
  of.run(1.5);
  const app = watched(of, "client");
  const status = statusSchema.strict().parse(await (await app.request("/status?session=0.1")).json());
  assert.deepEqual(
    [status.version, status.role, status.sessions.length, status.sessionsOmitted, status.streams.length],
    [1, "client", 1, 0, 1],
  );
  assert.equal(status.sessions[0]!.receivedPayloadBytes, status.streams[0]!.receivedBytes);
  assert.ok(status.streams[0]!.receivedBytes > 0);
  assert.equal((await app.request("/healthz")).status, 200);
  const silent = new Observer({ ask: () => Promise.resolve([]), now: () => 0, sessionsMax: 1, streamsMax: 1 });
  const http = { connectionsDropped: 0 };
  const dead = pages(
    watchedTunnel({ observer: silent, facts: () => ({ ...facts, http }), wallClock: () => 0, series: { sessionsMax: 1, usersMax: 0 } }),
  );
  for (const path of ["/healthz", "/status", "/metrics"]) assert.equal((await dead.request(path)).status, 503);
});

test("users have series of their own up to the option, with what they have used of their quotas", async () => {
  const users = [
    { name: "ann", key: "a", quota: 5_000_000, sessions: 1 },
    { name: "bob", key: "b" },
    { name: "eve", key: "e" },
  ];
  const of = world({ client: { key: "a", crypt: "aes", nocomp: "true" }, server: { crypt: "aes", users } });
  connect(of);
  of.run(30);
  const page = await scrape(watched(of, "server", 16, 2));
  assert.equal(page.value('longhaul_user_sessions{user="ann"}'), 1);
  assert.equal(page.value('longhaul_user_payload_bytes_total{user="ann",direction="sent"}'), 300_000);
  assert.equal(page.value('longhaul_user_payload_bytes_total{user="ann",direction="received"}'), 1000);
  assert.equal(page.value('longhaul_user_used_bytes{user="ann"}'), 301_000);
  assert.equal(page.value('longhaul_user_quota_bytes{user="ann"}'), 5_000_000);
  assert.equal(page.value('longhaul_user_sessions{user="bob"}'), 0);
  const told = [...page.families.get("longhaul_user_sessions")!.samples.keys()];
  assert.deepEqual(told, ['longhaul_user_sessions{user="ann"}', 'longhaul_user_sessions{user="bob"}']);
});
