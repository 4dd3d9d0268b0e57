import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { chooseIo, type IoKind } from "./choose.ts";
import { NodeLoop } from "./loop-node.ts";
import { until } from "./testing/each-loop.ts";
import { type Command, type Message, start } from "./testing/worker-program.ts";
import { type LoopWorker, startLoopWorker } from "./worker.ts";

const hasEpoll = chooseIo("auto", "").kind === "epoll";

interface Run {
  readonly worker: LoopWorker<Command>;
  readonly messages: Message[];
  readonly exits: (Error | undefined)[];
}

function run(io: IoKind): Run {
  const messages: Message[] = [];
  const exits: (Error | undefined)[] = [];
  const worker = startLoopWorker<{ greeting: string }, Command, Message>({
    module: new URL("./testing/worker-program.ts", import.meta.url),
    data: { greeting: "hello" },
    io,
    onMessage: (message) => messages.push(message),
    onExit: (error) => exits.push(error),
  });
  return { worker, messages, exits };
}

/** How late this thread wakes from bare waits of 3 ms, median: what the machine adds when others keep it busy. */
function lateness(count: number): number {
  const never = new Int32Array(new SharedArrayBuffer(4));
  const late = Array.from({ length: count }, () => {
    const due = performance.now() + 3;
    Atomics.wait(never, 0, 0, 3);
    return performance.now() - due;
  });
  return late.sort((a, b) => a - b)[count >> 1]!;
}

const kinds: readonly IoKind[] = hasEpoll ? ["epoll", "node"] : ["node"];
for (const io of kinds) {
  test(`a program in a thread is told, answers, counts, and stops in order (${io})`, async () => {
    const before = readdirSync("/proc/self/fd").length;
    const { worker, messages, exits } = run(io);
    worker.post({ kind: "add", a: 1, b: 2 });
    await until(() => messages.length === 2);
    assert.deepEqual(
      messages.map((message) => ("port" in message ? { ...message, port: 0 } : message)),
      [
        { kind: "started", io, greeting: "hello", port: 0 },
        { kind: "sum", sum: 3 },
      ],
    );
    // The thread is asleep now; a command wakes it.
    await new Promise((settle) => setTimeout(settle, 20));
    worker.post({ kind: "resolve", host: "localhost" });
    await until(() => messages.length === 3);
    assert.deepEqual(messages[2], { kind: "resolved", address: "127.0.0.1" });
    const counters = await worker.counters("them");
    assert.deepEqual(counters?.program, { commands: 2, about: "them" });
    assert.ok(counters !== undefined && counters.loop.rounds >= 2 && counters.cpuSeconds > 0);
    await worker.stop();
    assert.deepEqual(exits, [undefined]);
    assert.equal(await worker.counters(), undefined);
    await until(() => readdirSync("/proc/self/fd").length <= before);
  });
}

describe("side by side, because they wait", { concurrency: true }, () => {
  for (const io of kinds) {
    test(`an error that nobody catches comes out with its stack (${io})`, async () => {
      const { worker, exits } = run(io);
      worker.post({ kind: "throw" });
      await assert.rejects(
        worker.ended,
        (error: Error) => error.message === "thrown in the thread" && (error.stack ?? "").includes("worker-program.ts"),
      );
      assert.equal(exits.length, 1);
    });
  }

  test("a module that is not there ends the thread with its name", async () => {
    const worker = startLoopWorker({ module: new URL("./testing/no-such-program.ts", import.meta.url), data: undefined });
    await assert.rejects(worker.ended, /no-such-program/);
  });

  test("the same program runs on a loop in the main thread", async () => {
    const messages: Message[] = [];
    let command: ((command: Command, now: number) => void) | undefined;
    const loop = new NodeLoop();
    start(
      loop,
      { greeting: "here" },
      {
        post: (message) => messages.push(message),
        onCommand: (handler) => {
          command = handler;
        },
      },
    );
    command?.({ kind: "add", a: 2, b: 2 }, loop.now());
    assert.deepEqual(messages[1], { kind: "sum", sum: 4 });
    loop.stop();
  });

  test("half of 200 deadlines are held to less than a millisecond, or as well as this machine wakes anybody", {
    skip: hasEpoll ? false : "foreign calls do not work here",
  }, async () => {
    const { worker, messages } = run("epoll");
    worker.post({ kind: "deadlines", count: 200 });
    await until(() => messages.some(({ kind }) => kind === "late"), 30_000);
    const late = messages.flatMap((message) => (message.kind === "late" ? message.milliseconds : [])).sort((a, b) => a - b);
    assert.equal(late.length, 200);
    assert.ok(late[0]! >= 0);
    const machine = lateness(50);
    assert.ok(late[100]! < 1 + 4 * machine, `median ${late[100]} ms, where a bare wait is ${machine} ms late`);
    await worker.stop();
  });
});
