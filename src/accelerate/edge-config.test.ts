import assert from "node:assert/strict";
import { test } from "node:test";
import { type EdgeConfigInput, edgeConfig } from "./edge-config.ts";

const least: EdgeConfigInput = {
  revision: 1,
  accelerators: [
    {
      id: "a",
      addresses: ["192.0.2.1", "2001:db8::1"],
      listeners: [
        {
          id: "l",
          protocol: "TCP",
          ports: [{ from: 80, to: 81 }],
          groups: [{ id: "g", region: "eu", check: { port: 80 }, endpoints: [{ id: "e", host: "10.0.0.1" }] }],
        },
      ],
    },
  ],
};

test("what is left out has AWS's defaults", () => {
  const [accelerator] = edgeConfig.parse(least).accelerators;
  const [listener] = accelerator!.listeners;
  const [group] = listener!.groups;
  assert.deepEqual([group!.dial, group!.endpoints[0]!.weight, listener!.affinity], [100, 128, "NONE"]);
  assert.deepEqual([group!.check.protocol, group!.check.intervalMs, group!.check.threshold, group!.check.path], ["TCP", 30_000, 3, "/"]);
  assert.deepEqual([accelerator!.policy.tcpIdleSeconds, accelerator!.policy.udpIdleSeconds, accelerator!.enabled], [340, 30, true]);
});

test("what an edge would not understand is refused", () => {
  const wrong = (change: (config: typeof least) => void): boolean => {
    const config = structuredClone(least);
    change(config);
    return !edgeConfig.safeParse(config).success;
  };
  assert.ok(wrong((config) => Object.assign(config, { extra: 1 })));
  assert.ok(wrong((config) => Object.assign(config.accelerators![0]!, { addresses: ["example.org"] })));
  assert.ok(wrong((config) => Object.assign(config.accelerators![0]!.listeners![0]!.groups![0]!, { dial: 101 })));
  assert.ok(wrong((config) => Object.assign(config.accelerators![0]!.listeners![0]!.groups![0]!.check, { intervalMs: 199 })));
  assert.ok(wrong((config) => Object.assign(config.accelerators![0]!.listeners![0]!, { ports: [{ from: 0, to: 1 }] })));
});
