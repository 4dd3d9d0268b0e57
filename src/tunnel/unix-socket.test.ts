/** A tunnel between unix sockets, over loopback, on real loops. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { primitives } from "../host/crypto.ts";
import { silentLog } from "../host/log.ts";
import type { TcpSocket } from "../host/loop.ts";
import { eachLoop, tcpHandler, until } from "../host/testing/each-loop.ts";
import { TunnelClient } from "./client.ts";
import { clientConfig, serverConfig } from "./config.ts";
import { TunnelServer } from "./server.ts";

eachLoop("localaddr and target as paths of unix sockets", async (loop) => {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-unix-"));
  const [near, far] = [join(folder, "near.sock"), join(folder, "far.sock")];
  const parts = { loop, log: silentLog, primitives };
  loop.listen({ path: far }, (socket) => {
    const buffer = new Uint8Array(100);
    return tcpHandler({
      readable: () => {
        const n = socket.read(buffer, 0, buffer.length);
        if (n > 0) socket.write(buffer, 0, n);
      },
    });
  });
  const server = new TunnelServer(serverConfig.parse({ listen: "127.0.0.1:0", target: far, crypt: "none", quiet: "true" }), parts);
  const remoteaddr = `127.0.0.1:${server.endpoint.socket.local.port}`;
  const client = new TunnelClient(clientConfig.parse({ localaddr: near, remoteaddr, crypt: "none", quiet: "true" }), parts);
  assert.deepEqual(client.local, { path: near });
  let echoed = "";
  let socket: TcpSocket | undefined;
  socket = loop.connect(
    { path: near },
    tcpHandler({
      connected: () => void socket?.write(Buffer.from("through"), 0, 7),
      readable: () => {
        const buffer = Buffer.alloc(100);
        const n = socket!.read(buffer, 0, 100);
        if (n > 0) echoed += buffer.toString("latin1", 0, n);
      },
    }),
  );
  await until(() => echoed === "through");
  rmSync(folder, { recursive: true });
});
