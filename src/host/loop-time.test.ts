import assert from "node:assert/strict";
import { type Millis, NEVER } from "../base/units.ts";
import { eachLoop, tcpHandler, udpHandler, until } from "./testing/each-loop.ts";

eachLoop("a driver is called when its answer is due, and not before", async (loop) => {
  const early: Millis[] = [];
  let due = loop.now() + 5;
  let calls = 0;
  loop.drive({
    advance: (now) => {
      if (now < due) return due;
      if (now - due < 0) early.push(now - due);
      calls++;
      due = calls < 20 ? now + 3 : NEVER;
      return due;
    },
  });
  await until(() => calls === 20);
  assert.deepEqual(early, []);
});

eachLoop("wake runs the drivers soon, once for many calls", async (loop) => {
  let calls = 0;
  loop.drive({
    advance: () => {
      calls++;
      return NEVER;
    },
  });
  await until(() => calls === 1);
  for (let i = 0; i < 10; i++) loop.wake();
  await until(() => calls === 2);
  await new Promise((settle) => setTimeout(settle, 5));
  assert.equal(calls, 2);
});

eachLoop("names resolve, literals are answered as they are, unknown names with undefined", async (loop) => {
  const answers = new Map<string, string | undefined>();
  const ask = (host: string, family: 0 | 4 | 6): void => loop.resolve(host, family, (address) => answers.set(host, address));
  ask("localhost", 4);
  ask("2001:db8::1", 0);
  // No label is that long, so no server is asked.
  const unknown = `${"x".repeat(64)}.invalid`;
  ask(unknown, 0);
  assert.equal(answers.size, 0, "never from inside the call");
  await until(() => answers.size === 3, 10_000);
  assert.deepEqual(Object.fromEntries(answers), {
    localhost: "127.0.0.1",
    "2001:db8::1": "2001:db8::1",
    [unknown]: undefined,
  });
});

eachLoop("stop from inside a handler closes everything", async (loop) => {
  loop.udp({ host: "127.0.0.1", port: 0 }, udpHandler());
  const listener = loop.listen({ host: "127.0.0.1", port: 0 }, () => tcpHandler());
  loop.connect(listener.local, tcpHandler({ connected: () => loop.stop() }));
  await until(() => loop.stopped);
  assert.equal(loop.resources.size, 0);
});

eachLoop("a round that could not begin when it was due is counted with its delay", async (loop) => {
  let calls = 0;
  let due = NEVER;
  loop.drive({
    advance: (now) => {
      if (now < due && due !== NEVER) return due;
      calls++;
      due = calls === 1 ? now + 5 : NEVER;
      // Busy beyond what the driver itself asked for.
      if (calls === 1) while (loop.now() < now + 30);
      return due;
    },
  });
  await until(() => calls === 2);
  assert.ok(loop.counters.lateRounds >= 1 && loop.counters.lateMs >= 20, JSON.stringify(loop.counters));
});
