/**
 * Recordings in any store that speaks S3 (AWS, MinIO, Ceph, Garage, …): a bucket is a bucket, addressed by path, requests signed with their body's digest.
 * What the store takes is whole or not there, as S3 promises. A store that is away for a while, or says that it is busy, is asked again; what it refuses is not.
 */
import { createHash } from "node:crypto";
import { AwsClient } from "aws4fetch";
import type { Storage } from "./storage.ts";

export interface S3Options {
  /** "https://s3.example.org", with a path where the store is below one. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** ms between the first attempts of a request; it doubles. Default 250. */
  readonly retryMs?: number;
}

/** About half a minute, as long as the recorder's queue lasts. */
const ATTEMPTS_MAX = 8;
const RETRY_MS_MAX = 8000;
const TIMEOUT_MS = 20_000;
const OBJECT_BYTES_MAX = 64 * 2 ** 20;

const contentTypes: Readonly<Record<string, string>> = {
  json: "application/json",
  m3u8: "application/vnd.apple.mpegurl",
  mp4: "video/mp4",
  jpg: "image/jpeg",
};

export class S3Storage implements Storage {
  readonly #client: AwsClient;
  readonly #endpoint: string;
  readonly #retryMs: number;
  readonly counters = { puts: 0, gets: 0, retries: 0, givenUp: 0 };

  constructor({ endpoint, accessKeyId, secretAccessKey, region, retryMs = 250 }: S3Options) {
    this.#endpoint = endpoint.replace(/\/$/, "");
    this.#retryMs = retryMs;
    this.#client = new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3", retries: 0 });
  }

  /** @throws when the store refuses, or does not answer for half a minute */
  async put(bucket: string, key: string, bytes: Uint8Array | string): Promise<void> {
    const body = typeof bytes === "string" ? new TextEncoder().encode(bytes) : Uint8Array.from(bytes);
    const headers = {
      "content-type": contentTypes[key.slice(key.lastIndexOf(".") + 1)] ?? "application/octet-stream",
      "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"),
    };
    const response = await this.#request(`${bucket}/${key}`, { method: "PUT", body, headers });
    await this.#refused(response, "PUT", bucket);
    this.counters.puts++;
  }

  async get(bucket: string, key: string): Promise<Uint8Array | undefined> {
    const response = await this.#request(`${bucket}/${key}`, { method: "GET" });
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    await this.#refused(response, "GET", bucket);
    if (Number(response.headers.get("content-length") ?? 0) > OBJECT_BYTES_MAX) throw new Error(`GET of bucket ${bucket}: too large`);
    this.counters.gets++;
    return new Uint8Array(await response.arrayBuffer());
  }

  async #request(path: string, init: RequestInit): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      const last = attempt === ATTEMPTS_MAX;
      try {
        const response = await this.#client.fetch(`${this.#endpoint}/${path}`, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
        if (last || (response.status < 500 && response.status !== 429)) return response;
        await response.body?.cancel();
      } catch (error) {
        if (last) {
          this.counters.givenUp++;
          throw new Error(`the store does not answer: ${causeOf(error as Error)}`);
        }
      }
      this.counters.retries++;
      const wait = Math.min(RETRY_MS_MAX, this.#retryMs * 2 ** (attempt - 1));
      await new Promise((done) => setTimeout(done, wait));
    }
  }

  /** S3 says in XML why it refuses. */
  async #refused(response: Response, method: string, bucket: string): Promise<void> {
    if (response.ok) {
      if (method === "PUT") await response.body?.cancel();
      return;
    }
    const text = (await response.text()).slice(0, 4096);
    const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? "";
    const message = /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? "";
    throw new Error(`${method} to bucket ${bucket}: ${response.status} ${code} ${message}`.trim());
  }
}

function causeOf(error: Error): string {
  const { cause } = error;
  return cause instanceof Error ? `${error.message} (${(cause as NodeJS.ErrnoException).code ?? cause.message})` : error.message;
}
