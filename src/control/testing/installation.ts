/** An installation on loopback with a database of its own, for tests: the real API behind a real socket; the origin is given. */
import type { TestContext } from "node:test";
import { serveHttp } from "../../host/http.ts";
import { silentLog } from "../../host/log.ts";
import { Credentials, type Role } from "../credentials.ts";
import { ivsApi } from "../ivs/api.ts";
import { type IvsContext, quotaDefaults } from "../ivs/context.ts";
import type { LiveService, LiveStream } from "../ivs/live-service.ts";
import { Seal } from "../seal.ts";
import { openDatabase } from "../store/database.ts";
import { emptyDatabase } from "./empty-database.ts";

export class Installation {
  readonly context: IvsContext;
  readonly credentials: Credentials;
  readonly live: QuietOrigin;
  readonly url: string;

  private constructor(context: IvsContext, credentials: Credentials, live: QuietOrigin, url: string) {
    this.context = context;
    this.credentials = credentials;
    this.live = live;
    this.url = url;
  }

  /** `now`: the clock of everything but signatures. */
  static async start(t: TestContext, { now = Date.now } = {}): Promise<Installation> {
    const empty = await emptyDatabase();
    const database = await openDatabase(empty.url);
    const seal = new Seal(new Uint8Array(32).fill(7));
    const live = new QuietOrigin();
    const hosts = { ingest: "ingest.example", playback: "http://play.example", srt: "" };
    const place = { region: "eu-west-1", account: "123456789012" };
    const context: IvsContext = { database, seal, place, live, hosts, quotas: { ...quotaDefaults, playbackKeyPairs: 3 }, now };
    const credentials = new Credentials(database, seal);
    const server = await serveHttp(ivsApi(context, credentials, silentLog, Date.now).fetch, { host: "127.0.0.1", port: 0 });
    t.after(async () => {
      await server.close();
      await database.destroy();
      await empty.drop();
    });
    return new Installation(context, credentials, live, `http://127.0.0.1:${server.local.port}`);
  }

  /** What a client of the SDK is made with. */
  async client(role: Role = "admin") {
    const { id, secret } = await this.credentials.create(role, "test", Date.now());
    return {
      region: this.context.place.region,
      endpoint: this.url,
      credentials: { accessKeyId: id, secretAccessKey: secret },
      maxAttempts: 1,
    };
  }
}

/** An origin without encoders: what is "on the air" is set by the test, what it is told is kept. */
export class QuietOrigin implements LiveService {
  readonly onAir = new Map<string, LiveStream>();
  readonly told: string[] = [];

  stream(channelId: string): LiveStream | undefined {
    return this.onAir.get(channelId);
  }

  streams(): readonly LiveStream[] {
    return [...this.onAir.values()];
  }

  stop(channelId: string): void {
    this.told.push("stop");
    this.onAir.delete(channelId);
  }

  putMetadata(_channelId: string, text: string): void {
    this.told.push(`metadata ${text}`);
  }

  revoke(_channelId: string, viewerId: string, version: number): void {
    this.told.push(`revoke ${viewerId} ${version}`);
  }

  async changed(): Promise<void> {
    this.told.push("changed");
  }
}
