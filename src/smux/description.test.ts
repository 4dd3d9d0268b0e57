/** Bodies of SYN: only where they were agreed on, whole however the bytes are cut, before the end of the stream. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DESCRIBED, OPENED, type SmuxSession } from "./session.ts";
import { End, frame, pair } from "./testing/end.ts";

const described = (smux: SmuxSession, bytes: Uint8Array, piece = bytes.length): string[] => {
  const events: string[] = [];
  for (let from = 0; from < bytes.length; from += piece) {
    const end = Math.min(bytes.length, from + piece);
    for (let at = from; at < end; ) {
      at += smux.receive(0, bytes, at, end);
      if (smux.event === OPENED || smux.event === DESCRIBED)
        events.push(`${smux.event === OPENED ? "opened" : "described"} ${smux.eventSid} ${smux.takeDescription()?.join("")}`);
    }
  }
  return events;
};

for (const version of [1, 2] as const) {
  test(`v${version}: a SYN carries its description, a second one describes, in pieces of any size`, () => {
    for (const piece of [1, 3, 7, 9, 1000]) {
      const { client, server } = pair(version);
      server.smux.allowDescriptions(512);
      const sid = client.smux.open(0, Uint8Array.of(1, 2, 3));
      assert.deepEqual(described(server.smux, client.control(), piece), [`opened ${sid} 123`]);
      client.smux.describe(0, sid, Uint8Array.of(4, 5, 6, 7, 8, 9, 1, 2, 3));
      assert.deepEqual(described(server.smux, client.control(), piece), [`described ${sid} 456789123`]);
      const plain = client.smux.open(0);
      assert.deepEqual(described(server.smux, client.control(), piece), [`opened ${plain} undefined`]);
    }
  });

  test(`v${version}: an answer goes before the end of a stream that is refused`, () => {
    const { client, server } = pair(version);
    client.smux.allowDescriptions(512);
    const sid = client.smux.open(0);
    server.receive(client.control());
    server.smux.describe(0, sid, Uint8Array.of(9));
    server.smux.forget(0, sid);
    const answer = server.control();
    assert.deepEqual(described(client.smux, answer), [`described ${sid} 9`]);
    const again = new End({ role: "client", version });
    again.smux.allowDescriptions(512);
    again.smux.open(0);
    again.control();
    again.receive(answer);
    assert.deepEqual(again.log, [`finished ${sid}`]);
  });

  test(`v${version}: a body that was not agreed on, or is too long, ends the session`, () => {
    assert.deepEqual(new End({ role: "server", version }).receive(frame(version, 0, 3, [1])).log, ["failed smux.length"]);
    const server = new End({ role: "server", version });
    server.smux.allowDescriptions(16);
    assert.deepEqual(server.receive(frame(version, 0, 3, 17)).log, ["failed smux.length"]);
  });
}
