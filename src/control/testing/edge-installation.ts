/** A control process for edges on loopback, with a database of its own and a configuration that the test sets, and edges that join it. */
import type { TestContext } from "node:test";
import { ControlLink } from "../../accelerate/control-link.ts";
import { type AcceleratorConfig, accelerator, type EdgeConfig } from "../../accelerate/edge-config.ts";
import { type EdgeReport, joinAnswer } from "../../accelerate/edge-stream.ts";
import { parseJoinToken } from "../../accelerate/join-token.ts";
import { certificateRequest } from "../../host/certificate-request.ts";
import { type Identity, postPinned } from "../../host/http2-client.ts";
import { splitHostPort } from "../../host/ip-address.ts";
import { silentLog } from "../../host/log.ts";
import { Authority } from "../edges/authority.ts";
import { EdgeServer } from "../edges/edge-server.ts";
import { type EdgeSource, Feed } from "../edges/feed.ts";
import { JoinTokens } from "../edges/join-tokens.ts";
import { EdgeRegistry } from "../edges/registry.ts";
import { Seal } from "../seal.ts";
import { type Database, openDatabase } from "../store/database.ts";
import { emptyDatabase } from "./empty-database.ts";

const POLL_MS = 20;

/** What control would compile out of its store. */
export class SetSource implements EdgeSource {
  #revision = 0;
  readonly #accelerators = new Map<string, AcceleratorConfig>();

  async revision(): Promise<number> {
    return this.#revision;
  }

  async config(): Promise<EdgeConfig> {
    return { revision: this.#revision, accelerators: [...this.#accelerators.values()] };
  }

  /** `endpoints`: of one group of its one listener. */
  put(id: string, name = "", endpoints = 0): void {
    const hosts = Array.from({ length: endpoints }, (_, i) => ({ id: `${id}-${i}`, host: `10.0.0.${i + 1}` }));
    const groups = [{ id: `${id}-group`, region: "r", check: { port: 80 }, endpoints: hosts }];
    const listeners = endpoints === 0 ? [] : [{ id: "l", protocol: "TCP" as const, ports: [{ from: 80, to: 80 }], groups }];
    this.#accelerators.set(id, accelerator.parse({ id, name, addresses: ["192.0.2.1"], listeners }));
    this.#revision++;
  }

  remove(id: string): void {
    this.#accelerators.delete(id);
    this.#revision++;
  }

  putWrong(id: string): void {
    this.#accelerators.set(id, { ...accelerator.parse({ id, addresses: ["192.0.2.1"] }), listeners: "wrong" } as never);
    this.#revision++;
  }
}

export class EdgeInstallation {
  readonly source = new SetSource();
  readonly database: Database;
  readonly authority: Authority;
  readonly tokens: JoinTokens;
  readonly registry: EdgeRegistry;
  readonly servers: { readonly feed: Feed; readonly server: EdgeServer }[] = [];
  readonly #closing: (() => void)[] = [];

  private constructor(database: Database, authority: Authority) {
    this.database = database;
    this.authority = authority;
    this.tokens = new JoinTokens(database);
    this.registry = new EdgeRegistry(database);
  }

  static async start(t: Pick<TestContext, "after">): Promise<EdgeInstallation> {
    const empty = await emptyDatabase();
    const database = await openDatabase(empty.url);
    const authority = await Authority.open(database, new Seal(new Uint8Array(32).fill(7)), Date.now());
    const installation = new EdgeInstallation(database, authority);
    await installation.serve();
    t.after(async () => {
      for (const close of installation.#closing) close();
      for (const each of installation.servers) await installation.stop(each);
      await database.destroy();
      await empty.drop();
    });
    return installation;
  }

  /** One more control process. */
  async serve(port = 0): Promise<{ readonly feed: Feed; readonly server: EdgeServer }> {
    const { tokens, registry, authority } = this;
    const feed = new Feed(this.source, silentLog, POLL_MS);
    const shared = { feed, registry, authority, log: silentLog, now: Date.now };
    const server = await EdgeServer.listen({ ...shared, tokens, host: "127.0.0.1", port, names: ["127.0.0.1"] });
    await feed.look();
    const made = { feed, server };
    this.servers.push(made);
    return made;
  }

  async stop({ feed, server }: { readonly feed: Feed; readonly server: EdgeServer }): Promise<void> {
    feed.close();
    await server.close();
  }

  get addresses(): string[] {
    return this.servers.map(({ server }) => `127.0.0.1:${server.port}`);
  }

  token(lifetime = 60_000): Promise<string> {
    return this.tokens.create(this.authority, this.addresses, "test", Date.now(), lifetime);
  }

  /** An edge with an identity of its own, not linked yet. */
  async join(token?: string): Promise<TestEdge> {
    const identity = await joinWith(token ?? (await this.token()));
    const edge = new TestEdge(identity.id, identity, this.addresses);
    this.#closing.push(() => edge.link.close());
    return edge;
  }
}

/** @throws HostError, or Error with the status */
export async function joinWith(token: string): Promise<Identity & { readonly id: string }> {
  const { addresses, fingerprint, secret } = parseJoinToken(token)!;
  const { key, request } = await certificateRequest("edge");
  const text = JSON.stringify({ secret, request, name: "test" });
  const { status, body } = await postPinned(splitHostPort(addresses[0]!), fingerprint, "/join", text, 5000);
  if (status !== 200) throw new Error(`status ${status}`);
  return { ...joinAnswer.parse(JSON.parse(body)), key };
}

export class TestEdge {
  readonly id: string;
  readonly identity: Identity;
  readonly link: ControlLink;
  /** All that it was told to serve, in order. */
  readonly served: EdgeConfig[] = [];
  readonly servedAt: number[] = [];
  readonly certificates: string[] = [];
  report: EdgeReport = { health: [], whole: true, regions: [], flows: 0, newFlows: 0, bytesIn: 0, bytesOut: 0, serving: true };

  constructor(id: string, identity: Identity, addresses: readonly string[]) {
    this.id = id;
    this.identity = identity;
    this.link = new ControlLink({
      ...{ addresses, identity, name: "test", release: "0", log: silentLog, random: Math.random },
      serving: () => this.config,
      serve: async (config) => {
        this.served.push(config);
        this.servedAt.push(performance.now());
        return 0;
      },
      report: async () => this.report,
      renewed: (certificate) => this.certificates.push(certificate),
    });
  }

  get config(): EdgeConfig {
    return this.served.at(-1) ?? { revision: 0, accelerators: [] };
  }
}
