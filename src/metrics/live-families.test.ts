import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "../live/status.ts";
import { TestSource } from "../live/testing/source.ts";
import { expose } from "./exposition.ts";
import { watchedOrigin } from "./live-pages.ts";
import { pages } from "./pages.ts";
import { Exposition } from "./testing/read-exposition.ts";

const facts = {
  release: "1",
  node: "26",
  io: "node",
  pid: 1,
  startedAt: 1,
  at: ":1935",
  to: ":8080",
  cpuSeconds: 1,
  rssBytes: 1,
  http: { connectionsDropped: 0 },
};

test("an origin's metrics are well-formed in both formats and move with what encoders send", async () => {
  const source = new TestSource();
  const refused = { key: 2 };
  const srt = { port: 9000, connections: 3, counters: { calls: 5, stray: 7 } };
  const watched = watchedOrigin(
    () => ({ ...status(source, undefined), ingest: { ...source.ingest, refused, srt } }),
    () => facts,
  );
  const read = async (): Promise<Exposition> => new Exposition(expose((await watched.families())!, "text"), "text");
  const before = await read();
  assert.equal(before.value('longhaul_live_on_air{channel="demo"}'), 0);
  source.stream(4);
  const after = await read();
  assert.equal(after.value('longhaul_live_on_air{channel="demo"}'), 1);
  assert.ok(after.value('longhaul_live_units_total{channel="demo"}') > 100);
  assert.ok(after.value('longhaul_live_media_bytes_total{channel="demo"}') > after.value('longhaul_live_units_total{channel="demo"}'));
  assert.ok(after.value('longhaul_live_last_part_timestamp_seconds{channel="demo"}') > 1e9);
  assert.ok(after.value('longhaul_live_held_bytes{channel="demo"}') > 0);
  assert.equal(after.value('longhaul_live_refused_encoders_total{reason="key"}'), 2);
  assert.equal(after.value("longhaul_live_srt_encoders"), 3);
  assert.equal(after.value('longhaul_live_srt_events_total{event="stray"}'), 7);
  assert.equal(after.value('longhaul_build_info{version="1",node="26",role="live",io="node"}'), 1);
  new Exposition(expose((await watched.families())!, "openmetrics"), "openmetrics");
  const app = pages(watched);
  assert.equal((await app.request("/healthz")).status, 200);
  const told = (await (await app.request("/status")).json()) as { channels: { name: string }[] };
  assert.equal(told.channels[0]!.name, "demo");
});
