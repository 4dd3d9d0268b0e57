import assert from "node:assert/strict";
import { test } from "node:test";
import { ProcessTrack } from "./process-track.ts";
import { sessionStatus, status } from "./testing/statuses.ts";
import { View } from "./view.ts";

function processes(): ProcessTrack[] {
  const process = new ProcessTrack("x");
  const sessions = [
    sessionStatus({ key: "0.1", peer: "a", rttMs: 10, streams: 5, seconds: 30 }),
    sessionStatus({ key: "0.2", peer: "b", rttMs: 300, streams: 1, seconds: 10 }),
    sessionStatus({ key: "0.3", peer: "c", rttLeastMs: -1, streams: 9, seconds: 20 }),
  ];
  process.update(status({ sessions }));
  process.update(
    status({
      observedMs: 2000,
      sessions: sessions.map((session, i) => ({
        ...session,
        sentPayloadBytes: [5, 0, 9][i]!,
        sentSegments: 2000,
        resentSegments: [10, 90, 10][i]!,
      })),
    }),
  );
  return [process];
}

const order = (view: View, of: ProcessTrack[]): string =>
  view
    .rows(of)
    .map(({ session }) => session.status.peer)
    .join("");

test("orders: what is most first, what is not known last; s goes through them, r turns them round", () => {
  const of = processes();
  const view = new View();
  const seen: Record<string, string> = {};
  for (let i = 0; i < 6; i++) {
    seen[view.order] = order(view, of);
    view.press("s", of);
  }
  assert.deepEqual(seen, { rate: "cab", rtt: "bac", loss: "bac", streams: "cab", age: "acb", peer: "abc" });
  assert.equal(view.order, "rate");
  view.press("r", of);
  assert.equal(order(view, of), "bac");
});

test("a selected session stays selected when the order changes, and the first is when it has gone", () => {
  const of = processes();
  const view = new View();
  const selected = (): string => view.rows(of)[view.selected(view.rows(of))]!.session.status.peer;
  assert.equal(selected(), "c");
  view.press("down", of);
  assert.equal(selected(), "a");
  view.press("s", of);
  assert.equal(selected(), "a");
  for (const [key, peer] of [
    ["end", "c"],
    ["pagedown", "c"],
    ["up", "a"],
    ["home", "b"],
    ["k", "b"],
    ["j", "a"],
  ] as const) {
    view.press(key, of);
    assert.equal(selected(), peer, key);
  }
  of[0]!.sessions.delete("0.1");
  assert.equal(selected(), "b");
});

test("pages: enter and back, help over both, pause, and the keys that end it", () => {
  const of = processes();
  const view = new View();
  assert.equal(view.wanted(of), undefined);
  view.press("enter", of);
  assert.deepEqual([view.page, view.wanted(of)?.session.status.peer], ["session", "c"]);
  view.press("?", of);
  assert.equal(view.page, "help");
  view.press("x", of);
  assert.equal(view.page, "session");
  view.press("p", of);
  view.press("escape", of);
  assert.deepEqual([view.page, view.paused], ["sessions", true]);
  view.press(" ", of);
  assert.equal(view.paused, false);
  assert.deepEqual([view.press("q", of), view.press("ctrl-c", of), view.press("z", of)], [false, false, true]);
  assert.ok(view.press("enter", []), "with no sessions nothing happens");
});
