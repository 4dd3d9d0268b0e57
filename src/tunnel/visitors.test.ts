import assert from "node:assert/strict";
import { test } from "node:test";
import type { Session } from "./session.ts";
import { Visitors } from "./visitors.ts";

const probe = (n: number, token = "ab", use = true) => ({ token, way: 1, use, n, copies: 0 });

test("who shows the token is admitted; a wrong one, a probe played again and more than eight addresses are not", () => {
  const visitors = new Visitors();
  const session = { conv: 5, peer: 0 } as Session;
  assert.equal(visitors.admits(session, 1, probe(1)), false, "it has not said who it is");
  visitors.introduce(session, probe(1));
  assert.equal(visitors.find(5, "ab"), session);
  assert.equal(visitors.find(6, "ab"), undefined);
  assert.equal(visitors.admits(session, 1, probe(2, "cd")), false);
  assert.equal(visitors.admits(session, 1, probe(1000)), true);
  assert.equal(visitors.moves(session, 1, probe(1000)), true);
  assert.equal(visitors.moves(session, 0, probe(999)), false, "an older wish");
  assert.equal(visitors.admits(session, 2, probe(500)), false, "played again");
  for (let peer = 2; peer < 8; peer++) assert.equal(visitors.admits(session, peer, probe(1000 + peer)), true);
  assert.equal(visitors.admits(session, 8, probe(1010)), false);
  assert.equal(visitors.refused, 4);
  assert.deepEqual(visitors.leave(session), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(visitors.find(5, "ab"), undefined);
});
