import assert from "node:assert/strict";
import { test } from "node:test";
import { KIND_TCP, KIND_UDP } from "../extension/description.ts";
import { forwardsOf, parseForwards } from "./forward.ts";
import { parseTarget, targetsOf } from "./target.ts";
import { User } from "./user.ts";

const shown = (text: string) => parseForwards("forward", text).map(({ listen, text: at, target }) => [listen, at, target]);

test("a range of ports is a forward for each, to the place of the same number", () => {
  assert.deepEqual(shown("udp:127.0.0.1:5000-5002=rtp"), [
    [{ host: "127.0.0.1", port: 5000 }, "127.0.0.1:5000", "rtp+0"],
    [{ host: "127.0.0.1", port: 5001 }, "127.0.0.1:5001", "rtp+1"],
    [{ host: "127.0.0.1", port: 5002 }, "127.0.0.1:5002", "rtp+2"],
  ]);
  assert.deepEqual(shown("[::1]:7-8").at(-1), [{ host: "::1", port: 8 }, "[::1]:8", ""], "to the default target, all of them");
  assert.equal(shown(":1-1024=a").length, 1024);
  assert.throws(() => shown(":1-1025=a"), /--forward: ":1-1025" are 1025 ports; give at most 1024/);
  assert.throws(() => shown(":9-8=a"), /--forward: .* not a range/);
  const twice = { localaddr: "", forward: ["udp::5000-5009=a", "udp::5009=b"] };
  assert.throws(() => forwardsOf(twice), /":5009" is given twice/);
});

test("a target's range has a port for each place, a target without one takes all of them", () => {
  const list = targetsOf({ target: "10.0.0.9:1", targets: ["rtp=udp:10.0.0.5:6000-6002", "dns=udp:10.0.0.5:53"] });
  const at = (name: string, kind: typeof KIND_TCP | typeof KIND_UDP = KIND_UDP): unknown => list.find(kind, name)?.endpoint;
  assert.deepEqual(
    ["rtp", "rtp+0", "rtp+2", "rtp+3", "dns", "dns+3", "nobody+1"].map((name) => (at(name) as { port?: number } | undefined)?.port),
    [6000, 6000, 6002, undefined, 53, 53, undefined],
  );
  assert.equal(list.find(KIND_UDP, "rtp+2")?.text, "10.0.0.5:6002");
  assert.equal(at("rtp+2", KIND_TCP), undefined);
  assert.throws(() => parseTarget("reverse", "web=:80-81", 0), /--reverse: ":80-81" is not an address/);
});

test("who may reach a target may reach every port of it, and no other", () => {
  const user = new User(0, "ann", { sessions: 0, streams: 0, rateup: 0, ratedown: 0, quota: 0, targets: ["rtp"] });
  assert.deepEqual(
    ["rtp", "rtp+7", "", "web+1"].map((name) => user.mayReach(name)),
    [true, true, true, false],
  );
});
