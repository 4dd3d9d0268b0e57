import assert from "node:assert/strict";
import { test } from "node:test";
import { clientConfig, serverConfig } from "./config.ts";
import { adopt, changesOf, effectOf } from "./reload.ts";

test("of every option it is decided when a change takes effect", () => {
  for (const [role, schema] of [
    ["client", clientConfig],
    ["server", serverConfig],
  ] as const) {
    const undecided = Object.keys(schema.shape).filter((key) => effectOf(role, key) === undefined);
    assert.deepEqual(undecided, [], `src/tunnel/reload.ts: ${role}`);
  }
});

test("changes are told by name and effect; what needs a restart is not taken over", () => {
  const running = serverConfig.parse({ key: "one" });
  const wanted = serverConfig.parse({ key: "two", mtu: 1200, sessions: 5, targets: ["a=h:1"], listen: ":1" });
  const changes = changesOf("server", running, wanted);
  assert.deepEqual(
    { now: changes.now.sort(), sessions: changes.sessions.sort(), restart: changes.restart },
    {
      now: ["sessions", "targets"],
      sessions: ["key", "mtu"],
      restart: ["listen"],
    },
  );
  adopt(running, wanted, changes);
  assert.deepEqual([running.key, running.sessions, running.listen], ["two", 5, ":29900"]);
});
