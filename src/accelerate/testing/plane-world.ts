/** A data plane with clients and endpoints on one machine and one loop, for tests: real sockets, health as the test says. */
import { createSocket, type Socket as Datagrams } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Loop } from "../../host/loop.ts";
import type { EdgeConfigInput } from "../edge-config.ts";
import { edgeConfig } from "../edge-config.ts";
import { standingKey } from "../health-watch.ts";
import { describe, observe } from "../observation.ts";
import { Plane, type PlaneOptions, type Problem } from "../plane.ts";

type Listeners = NonNullable<EdgeConfigInput["accelerators"]>[number]["listeners"];

export class PlaneWorld {
  readonly plane: Plane;
  readonly suspected: string[] = [];
  readonly #loop: Loop;
  readonly #closing: (() => void)[] = [];
  #config = edgeConfig.parse({ revision: 0 });
  #revision = 0;

  constructor(loop: Loop, options: Partial<PlaneOptions> = {}) {
    this.#loop = loop;
    this.plane = new Plane({
      ...{ loop, flowsMax: 1000, placesMax: 100, buffersMax: 64, connectTimeout: 300, share: 1 },
      suspected: (key) => this.suspected.push(key),
      ...options,
    });
  }

  /** All endpoints are healthy, but those named in `dead`. */
  serve(listeners: Listeners, policy: object = {}, dead: readonly string[] = []): Problem[] {
    this.#config = edgeConfig.parse({
      revision: ++this.#revision,
      accelerators: [{ id: "a", addresses: ["127.0.0.1"], policy, listeners }],
    });
    this.stand(dead);
    return this.plane.apply(this.#config, { "127.0.0.1": "127.0.0.1" }, this.#loop.now());
  }

  stand(dead: readonly string[]): void {
    const endpoints = this.#config.accelerators.flatMap(({ listeners }) =>
      listeners.flatMap(({ groups }) => groups.flatMap((group) => group.endpoints.map((endpoint) => ({ group, endpoint })))),
    );
    const changes = endpoints.map(({ group, endpoint }) => ({
      key: standingKey(group.check, endpoint),
      healthy: !dead.includes(endpoint.id),
      dead: dead.includes(endpoint.id),
    }));
    this.plane.stand(changes, this.#loop.now());
  }

  get listener() {
    return observe(this.plane).listeners[0]!;
  }

  /** Why each flow is where it is. */
  get whys(): string[] {
    return Array.from(this.plane.each(), (flow) => describe(flow, 0).why);
  }

  /** A server that says its name to each connection, then sends back what it gets. */
  async echo(name: string): Promise<{ port: number; server: Server; sockets: Set<Socket> }> {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.write(`${name}\n`);
      socket.pipe(socket);
    });
    this.#closing.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { port: await listening(server), server, sockets };
  }

  /** Answers each datagram with its name and it. */
  async datagrams(name: string): Promise<{ port: number; close(): void; mute(): void; seen: Buffer[] }> {
    const socket = createSocket("udp4");
    const seen: Buffer[] = [];
    let mute = false;
    socket.on("message", (bytes, from) => {
      seen.push(bytes);
      if (!mute) socket.send(`${name} ${bytes}`, from.port, from.address);
    });
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    let open = true;
    const close = (): void => {
      if (open) socket.close();
      open = false;
    };
    this.#closing.push(close);
    return { port: socket.address().port, close, seen, mute: () => (mute = true) };
  }

  client(port: number): TcpClient {
    const client = new TcpClient(port);
    this.#closing.push(() => client.socket.destroy());
    return client;
  }

  async caller(): Promise<{ socket: Datagrams; heard: string[] }> {
    const socket = createSocket("udp4");
    const heard: string[] = [];
    socket.on("message", (bytes) => heard.push(bytes.toString()));
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    this.#closing.push(() => socket.close());
    return { socket, heard };
  }

  close(): void {
    this.plane.close();
    for (const close of this.#closing) close();
  }
}

export class TcpClient {
  readonly socket: Socket;
  text = "";
  ended = false;
  code = "";

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    this.socket.on("data", (bytes) => (this.text += bytes.toString("latin1")));
    this.socket.on("end", () => (this.ended = true));
    this.socket.on("error", ({ code = "" }: NodeJS.ErrnoException) => (this.code = code));
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  server.close();
  await once(server, "close");
  return port;
}

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as { port: number }).port;
}

/** A listener of one group with such endpoints, by id. */
export function listenerOf(protocol: "TCP" | "UDP", port: number, endpoints: Readonly<Record<string, number | object>>, more: object = {}) {
  return {
    ...{ id: "l", protocol, ports: [{ from: port, to: port }] },
    groups: [
      {
        ...{ id: "g", region: "r", check: { port: 9 } },
        endpoints: Object.entries(endpoints).map(([id, at], i) => ({
          ...{ id, host: "127.0.0.1", checkPort: i + 1 },
          ...(typeof at === "number" ? { port: at } : at),
        })),
      },
    ],
    ...more,
  };
}
