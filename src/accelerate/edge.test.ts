import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { silentLog } from "../host/log.ts";
import { Edge } from "./edge.ts";
import { edgeConfig } from "./edge-config.ts";

test("endpoints that are silent are asked as often as those that answer", async (t) => {
  const deaf = createSocket("udp4").bind(0, "127.0.0.1");
  t.after(() => deaf.close());
  await once(deaf, "listening");
  let asked = 0;
  deaf.on("message", () => asked++);
  const edge = new Edge({ count: 0, start: () => assert.fail("there are no threads") }, silentLog);
  t.after(() => edge.close());
  const check = { protocol: "UDP", port: deaf.address().port, payload: "00", intervalMs: 200, timeoutMs: 50 };
  const groups = [{ id: "g", region: "r", check, endpoints: [{ id: "e", host: "127.0.0.1" }] }];
  const listeners = [{ id: "l", protocol: "UDP", ports: [{ from: 1, to: 1 }], groups }];
  void edge.take(edgeConfig.parse({ revision: 1, accelerators: [{ id: "a", addresses: ["127.0.0.1"], listeners }] }));
  // The outcome of a check is what plans the next one: nothing else may have to come by.
  const from = performance.now();
  await sleep(1500);
  const periods = (performance.now() - from) / check.intervalMs;
  assert.ok(asked >= periods / 2, `asked ${asked} times in ${periods} periods`);
});
