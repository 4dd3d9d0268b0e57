import assert from "node:assert/strict";
import { test } from "node:test";
import type { Interface } from "../host/interface.ts";
import { advise } from "./advice.ts";

const eth0: Interface = {
  ...{ name: "eth0", ifindex: 2, up: true, ethernet: true, kind: "", mtu: 1500, receiveQueues: 1, master: 0 },
  ...{ mac: new Uint8Array(6), vlan: undefined },
};

test("one queue for several processors, queues whose hash leaves out ports, and a veth's other end are told of", () => {
  assert.match(advise([eth0], 8, "xdp").join(), /^eth0: one receive queue, so that one of 8 .*ethtool -L eth0 combined 8/);
  assert.match(advise([{ ...eth0, receiveQueues: 8 }], 8, "nftables").join(), /^eth0: .*rx-flow-hash udp4 sdfn.*smp_affinity/);
  assert.match(advise([{ ...eth0, kind: "veth" }], 8, "xdp").join(), /^eth0 is a veth: .*gro on.*tx off/);
});

test("by XDP, ports of this machine's own sockets that forwards take as well are told of, with a range that they leave", () => {
  const spare = { first: 1024, last: 5535 };
  assert.match(advise([], 8, "xdp", { own: { first: 32_768, last: 60_999 }, spare }).join(), /ip_local_port_range="1024 5535"/);
  assert.match(advise([], 8, "xdp", { own: { first: 32_768, last: 60_999 }, spare: undefined }).join(), /by sourceports/);
  assert.deepEqual(advise([], 8, "xdp", { own: spare, spare }), []);
  assert.deepEqual(advise([], 8, "nftables", { own: { first: 32_768, last: 60_999 }, spare }), []);
});

test("what changes nothing is not said", () => {
  assert.deepEqual(advise([eth0], 1, "xdp"), []);
  assert.deepEqual(advise([eth0], 8, "userspace"), []);
  assert.deepEqual(advise([{ ...eth0, kind: "veth" }], 8, "nftables"), []);
  assert.deepEqual(
    advise(
      [
        { ...eth0, up: false },
        { ...eth0, master: 7 },
        { ...eth0, kind: "bridge" },
      ],
      8,
      "xdp",
    ),
    [],
  );
});
