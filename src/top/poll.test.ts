import assert from "node:assert/strict";
import { test } from "node:test";
import { serveHttp } from "../host/http.ts";
import { Poll } from "./poll.ts";
import { status } from "./testing/statuses.ts";
import { View } from "./view.ts";

test("asks each place, for the streams of the session that is open; says why one does not answer, or leaves it out", async () => {
  const asked: string[] = [];
  let answer: () => Response = () => Response.json(status());
  const server = await serveHttp(
    (request) => {
      asked.push(new URL(request.url).search);
      return answer();
    },
    { host: "127.0.0.1", port: 0 },
  );
  const places = () => [{ name: "a", at: server.local }];
  const poll = new Poll({ places, keepSilent: true });
  const [process] = await poll.run(undefined);
  assert.equal(process!.status!.pid, 4711);
  const view = new View();
  view.press("enter", poll.processes);
  await poll.run(view.wanted(poll.processes));
  assert.deepEqual(asked, ["", "?session=0.1"]);
  for (const [response, why] of [
    [() => Response.json({ ...status(), version: 2 }), /status version 2, this program 1/],
    [() => new Response("<html>"), /it is no longhaul/],
    [() => Response.json({}), /it is no longhaul/],
    [() => new Response("", { status: 404 }), /HTTP 404/],
    [() => new Response("", { status: 503 }), /tunnel does not answer/],
  ] as const) {
    answer = response;
    assert.match((await poll.run(undefined))[0]!.failure!, why);
  }
  assert.equal(poll.processes[0]!.status!.pid, 4711, "what was known stays");
  const found = new Poll({ places, keepSilent: false });
  assert.deepEqual(await found.run(undefined), []);
  await server.close();
  assert.match((await poll.run(undefined))[0]!.failure!, /nothing listens there/);
});
