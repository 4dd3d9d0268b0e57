/** A program for the tests of worker.ts: does what it is told by command. */
import { type Millis, NEVER } from "../../base/units.ts";
import type { Loop } from "../loop.ts";
import type { Program } from "../worker-main.ts";
import type { LoopPort } from "../worker-port.ts";
import { udpHandler } from "./each-loop.ts";

export type Command =
  | { readonly kind: "add"; readonly a: number; readonly b: number }
  | { readonly kind: "resolve"; readonly host: string }
  | { readonly kind: "deadlines"; readonly count: number }
  | { readonly kind: "throw" };

export type Message =
  | { readonly kind: "started"; readonly io: string; readonly greeting: string; readonly port: number }
  | { readonly kind: "sum"; readonly sum: number }
  | { readonly kind: "resolved"; readonly address: string | undefined }
  | { readonly kind: "late"; readonly milliseconds: readonly Millis[] };

export function start(loop: Loop, data: { readonly greeting: string }, port: LoopPort<Command, Message>): Program {
  const socket = loop.udp({ host: "127.0.0.1", port: 0 }, udpHandler());
  let commands = 0;
  port.onCommand((command) => {
    commands++;
    if (command.kind === "add") port.post({ kind: "sum", sum: command.a + command.b });
    else if (command.kind === "resolve") loop.resolve(command.host, 4, (address) => port.post({ kind: "resolved", address }));
    else if (command.kind === "deadlines")
      measureDeadlines(loop, command.count, (milliseconds) => port.post({ kind: "late", milliseconds }));
    else throw new RangeError("thrown in the thread");
  });
  port.post({ kind: "started", io: loop.kind, greeting: data.greeting, port: socket.local.port });
  return { counters: (_now, about) => ({ commands, about }) };
}

/** How late the driver is called for `count` deadlines, 1 to 10 ms apart. */
function measureDeadlines(loop: Loop, count: number, done: (late: Millis[]) => void): void {
  const late: Millis[] = [];
  let due = loop.now() + 1;
  loop.drive({
    advance: (now) => {
      if (now < due || due === NEVER) return due;
      late.push(now - due);
      due = late.length < count ? now + 1 + (late.length % 10) : NEVER;
      if (due === NEVER) done(late);
      return due;
    },
  });
}
