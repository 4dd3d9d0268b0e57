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
