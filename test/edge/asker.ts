/**
 * A client that opens many UDP flows at once, told by lines of JSON:
 *
 *   {"host":H,"port":P,"count":N} ─► an Answer for each flow that was answered, each from a socket of its own
 */
import { createSocket } from "node:dgram";
import { createInterface } from "node:readline";

export interface Answer {
  /** Who answered. */
  readonly name: string;
  /** From where it came, as the endpoint saw it. */
  readonly seenAs: string;
  readonly sourcePort: number;
}

const AGAIN_MS = 200;
const PATIENCE_MS = 3000;

function flow(host: string, port: number): Promise<Answer | undefined> {
  const socket = createSocket("udp4");
  return new Promise((settle) => {
    const ask = (): void => socket.send("x", port, host);
    const again = setInterval(ask, AGAIN_MS);
    const done = (answer: Answer | undefined): void => {
      clearInterval(again);
      clearTimeout(timer);
      socket.close();
      settle(answer);
    };
    const timer = setTimeout(() => done(undefined), PATIENCE_MS);
    socket.on("error", () => {});
    socket.once("message", (bytes) => {
      const [name = "", , seenAs = ""] = bytes.toString().split(" ");
      done({ name, seenAs, sourcePort: socket.address().port });
    });
    ask();
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const { host, port, count } = JSON.parse(line) as { host: string; port: number; count: number };
  const answers = await Promise.all(Array.from({ length: count }, () => flow(host, port)));
  process.stdout.write(`${JSON.stringify(answers.filter((answer) => answer !== undefined))}\n`);
}
