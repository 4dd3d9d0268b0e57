/** A TCP relay that now and then holds what an encoder sends and then lets all of it go, as a link with losses does. */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Prng } from "../../src/base/prng.ts";

/** Accepts at a port of 127.0.0.1 that the kernel picks, answers when it is known; every connection goes to `port`. Holds for up to 2.5 s, mostly much less, 0.5 to 4.5 s apart. */
export async function burstyRelay(port: number, prng: Prng): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((from) => {
    const to = connect(port, "127.0.0.1");
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    from.pipe(to).pipe(from);
    hold(from, to, prng);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the relay has no port");
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: address.port, close };
}

function hold(from: Socket, to: Socket, prng: Prng): void {
  const later = (ms: number, then: () => void): void => {
    setTimeout(() => {
      if (!from.destroyed) then();
    }, ms);
  };
  later(500 + prng.float() * 4000, () => {
    to.cork();
    later(100 + prng.float() * prng.float() * 2400, () => {
      to.uncork();
      hold(from, to, prng);
    });
  });
}
