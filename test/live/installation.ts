/** `longhaul live --data` for tests: started, killed, started again on the same folder, and asked by AWS's SDK and by its status. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ivs } from "@aws-sdk/client-ivs";
import type { ChannelStatus, Status } from "../../src/live/status.ts";
import { type Child, type Children, longhaul } from "../interop/children.ts";
import { until } from "../until.ts";

export class LiveInstallation {
  readonly folder = mkdtempSync(join(tmpdir(), "longhaul-live-"));
  readonly data = join(this.folder, "data");
  readonly rtmp: number;
  readonly http: number;
  readonly #api: number;
  readonly #children: Children;
  readonly #options: readonly string[];
  child: Child | undefined;
  #decoded = 0;

  constructor(children: Children, options: readonly string[] = []) {
    const base = 20_000 + (process.pid % 2000) * 5;
    [this.rtmp, this.http, this.#api] = [base, base + 1, base + 2];
    this.#children = children;
    this.#options = options;
  }

  async start(): Promise<void> {
    const at = (port: number): string => `127.0.0.1:${port}`;
    const where = ["--rtmp", at(this.rtmp), "--rtmps", "", "--http", at(this.http), "--api", at(this.#api), "--name", "127.0.0.1"];
    this.child = this.#children.start("longhaul", [longhaul, "live", "--data", this.data, ...where, ...this.#options]);
    await until("the server answers", async () => (await this.status()) !== undefined, 20);
  }

  async kill(): Promise<void> {
    process.kill(this.child!.process.pid!, "SIGKILL");
    await this.child!.exited;
  }

  get ivs(): Ivs {
    return new Ivs({ region: "eu-west-1", endpoint: this.api, credentials: this.credentials, maxAttempts: 1 });
  }

  /** Where the API and its page are. */
  get api(): string {
    return `http://127.0.0.1:${this.#api}`;
  }

  /** The first access key. */
  get credentials(): { readonly accessKeyId: string; readonly secretAccessKey: string } {
    const [, accessKeyId, secretAccessKey] = /= (\S+)\n.*= (\S+)\n/.exec(readFileSync(join(this.data, "credentials"), "utf8"))!;
    return { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey! };
  }

  async status(): Promise<Status> {
    return JSON.parse(new TextDecoder().decode(await get(`http://127.0.0.1:${this.http}/api/status`))) as Status;
  }

  async channel(arn: string): Promise<ChannelStatus> {
    return (await this.status()).channels.find(({ name }) => arn.endsWith(`/${name}`))!;
  }

  /** The media playlist of a public channel, or of part of it. */
  async playlist(arn: string): Promise<string> {
    return new TextDecoder().decode(await get(`${this.address(arn)}/media.m3u8`));
  }

  address(arn: string): string {
    return `http://127.0.0.1:${this.http}/live/${arn.split("/")[1]}`;
  }

  /** Names of the events of a channel's latest session, oldest first. */
  async events(channelArn: string): Promise<readonly string[]> {
    const { streamSession } = await this.ivs.getStreamSession({ channelArn });
    return (streamSession?.truncatedEvents ?? []).map(({ name }) => name!).reverse();
  }

  /** All complete segments below an address, decoded by ffmpeg: what it complains of. Encoders of this process go on meanwhile. */
  async decoded(base: string): Promise<string> {
    const text = new TextDecoder().decode(await get(`${base}/media.m3u8`));
    const names = text.split("\n").flatMap((line) => /^#EXT-X-MAP:URI="(.*)"/.exec(line)?.[1] ?? (/^\d+\.m4s$/.test(line) ? [line] : []));
    if (names.length < 3) return "nothing to decode";
    const path = join(this.folder, `decoded-${++this.#decoded}.mp4`);
    const pieces: Uint8Array[] = [];
    for (const name of names) pieces.push(await get(`${base}/${name}`));
    writeFileSync(path, Buffer.concat(pieces));
    // Pictures less than a frame of the nominal rate apart are no fault of the stream.
    const decoder = this.#children.start("decoder", ["ffmpeg", "-v", "error", "-i", path, "-fps_mode", "vfr", "-f", "null", "-"]);
    await decoder.exited;
    return decoder.output().slice(0, 300);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Once more where the server has closed a connection that was not used for a while. */
async function get(address: string): Promise<Uint8Array> {
  const response = await fetch(address).catch(() => fetch(address));
  return new Uint8Array(await response.arrayBuffer());
}
