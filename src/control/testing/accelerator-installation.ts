/** An accelerator's control process on loopback with a database of its own, for tests: the real API behind a real socket; what edges report is set by the test. */
import type { TestContext } from "node:test";
import { serveHttp } from "../../host/http.ts";
import { silentLog } from "../../host/log.ts";
import { AddressPool } from "../accelerator/address-pool.ts";
import { acceleratorApi, acceleratorService } from "../accelerator/api.ts";
import { parseCidr } from "../accelerator/cidr.ts";
import { type AcceleratorContext, type EdgeReports, type HealthState, type Quotas, quotaDefaults } from "../accelerator/context.ts";
import { Credentials, type Role } from "../credentials.ts";
import { Seal } from "../seal.ts";
import { openDatabase } from "../store/database.ts";
import { emptyDatabase } from "./empty-database.ts";

export class AcceleratorInstallation {
  readonly context: AcceleratorContext;
  readonly credentials: Credentials;
  readonly edges: SetEdges;
  readonly url: string;

  private constructor(context: AcceleratorContext, credentials: Credentials, edges: SetEdges, url: string) {
    this.context = context;
    this.credentials = credentials;
    this.edges = edges;
    this.url = url;
  }

  static async start(t: TestContext, { quotas = {}, now = Date.now }: { quotas?: Partial<Quotas>; now?: () => number } = {}) {
    const empty = await emptyDatabase();
    const database = await openDatabase(empty.url);
    const edges = new SetEdges();
    const pool = new AddressPool(["192.0.2.0/25", "198.18.0.0/24", "2001:db8::/64"].map((text) => parseCidr(text)!));
    const context: AcceleratorContext = {
      database,
      account: "123456789012",
      domain: "accelerator.example",
      pool,
      quotas: { ...quotaDefaults, ...quotas },
      edges,
      now,
    };
    const credentials = new Credentials(database, new Seal(new Uint8Array(32).fill(7)));
    const app = acceleratorApi(acceleratorService(context, credentials, silentLog), Date.now);
    const server = await serveHttp(app.fetch, { host: "127.0.0.1", port: 0 });
    t.after(async () => {
      await server.close();
      await database.destroy();
      await empty.drop();
    });
    return new AcceleratorInstallation(context, credentials, edges, `http://127.0.0.1:${server.local.port}`);
  }

  /** What a client of the SDK is made with. */
  async client(role: Role = "admin") {
    const { id, secret } = await this.credentials.create(role, "test", Date.now());
    return {
      region: "us-west-2",
      endpoint: this.url,
      credentials: { accessKeyId: id, secretAccessKey: secret },
      maxAttempts: 1,
    };
  }
}

/** Edges that report what the test says. */
export class SetEdges implements EdgeReports {
  revision: number | undefined;
  readonly states = new Map<string, HealthState>();

  async acknowledged(): Promise<number | undefined> {
    return this.revision;
  }

  async health(): Promise<ReadonlyMap<string, HealthState>> {
    return this.states;
  }
}
