/**
 * The installation behind `longhaul live --data FOLDER`: a store, AWS IVS's API over it, and the origin doing what is stored.
 *
 *   FOLDER/longhaul.db     channels, keys (sealed), sessions, events, access keys (sealed)
 *   FOLDER/master.key      what they are sealed with
 *   FOLDER/credentials     the first access key, in the form that AWS's tools read; yours to move elsewhere
 *   FOLDER/recordings/     a folder for each bucket, unless --recordings names another place
 *   FOLDER/tls-*.pem       our own certificate, where none is given
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../base/errors.ts";
import { Credentials } from "../control/credentials.ts";
import { ivsApi } from "../control/ivs/api.ts";
import { playbackPath } from "../control/ivs/channel-view.ts";
import { type IvsContext, quotaDefaults } from "../control/ivs/context.ts";
import { Gate } from "../control/live/gate.ts";
import { InstallationOrigin } from "../control/live/installation-origin.ts";
import { FolderStorage } from "../control/live/storage.ts";
import { pictureByFfmpeg } from "../control/live/thumbnails.ts";
import { Webhooks } from "../control/live/webhooks.ts";
import { masterKey, Seal } from "../control/seal.ts";
import { type Database, openDatabase } from "../control/store/database.ts";
import { certificateFromFiles, ownCertificate } from "../host/certificate.ts";
import { countriesFrom } from "../host/country.ts";
import { serveHttp } from "../host/http.ts";
import type { Log } from "../host/log.ts";
import type { NodeLoop } from "../host/loop-node.ts";
import type { LiveConfig } from "../live/config.ts";
import type { DeliveryOptions } from "../live/delivery.ts";
import type { Origin } from "../live/origin.ts";
import { parseHostPort } from "../tunnel/address.ts";

export interface Installation {
  readonly delivery: Pick<DeliveryOptions, "gate" | "alias">;
  close(): Promise<void>;
}

/** Opened once for the origin and for `longhaul keys`. */
export interface Store {
  readonly database: Database;
  readonly seal: Seal;
  readonly master: Uint8Array;
  readonly credentials: Credentials;
}

/** @throws ConfigError, HostError */
export async function openStore(folder: string, url: string): Promise<Store> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ConfigError("data", `--data: the folder "${folder}" cannot be made (${(error as NodeJS.ErrnoException).code})`);
  }
  const master = masterKey(join(folder, "master.key"));
  const database = await openDatabase(url === "" ? join(folder, "longhaul.db") : url);
  const seal = new Seal(master);
  return { database, seal, master, credentials: new Credentials(database, seal) };
}

/** @throws ConfigError, HostError */
export async function startInstallation(config: LiveConfig, origin: Origin, loop: NodeLoop, log: Log): Promise<Installation> {
  const webhooks = new Webhooks(webhooksOf(config), config, log);
  const country = countriesFrom(config.countries);
  const { database, seal, master, credentials } = await openStore(config.data, config.database);
  await firstKey(credentials, config, log);
  const context: Omit<IvsContext, "live"> = {
    database,
    seal,
    place: config,
    hosts: { ingest: config.name, playback: playbackBase(config), srt: "" },
    quotas: quotaDefaults,
    now: Date.now,
  };
  const live = new InstallationOrigin(origin, context, log, {
    sinks: [(event) => webhooks.post(event)],
    storage: new FolderStorage(config.recordings === "" ? join(config.data, "recordings") : config.recordings),
    picture: pictureByFfmpeg(log),
  });
  await live.start();
  const gate = new Gate({ directory: live.directory, place: config, sessionKey: master, viewers: live.viewers, country, now: Date.now });
  if (config.rtmps !== "") await listenSecurely(config, origin, loop);
  const server = await serveHttp(ivsApi({ ...context, live }, credentials, log).fetch, parseHostPort("api", config.api, 0));
  const forget = setInterval(() => credentials.forget(), FORGET_MS);
  log.info({ api: config.api, rtmps: config.rtmps, region: config.region, account: config.account }, "AWS IVS's API is served");
  const known = (name: string): string | undefined => {
    const id = /^[^.]+\.\d{12}\.channel\.(\w{12})\.m3u8$/.exec(name)?.[1];
    return id !== undefined && `/api/video/v1/${name}` === playbackPath(config.region, config.account, id) ? id : undefined;
  };
  return {
    delivery: { gate, alias: { path: "/api/video/v1/:name", channel: known } },
    async close() {
      clearInterval(forget);
      await server.close();
      await live.close();
      webhooks.close();
      await database.destroy();
    },
  };
}

/** A key deleted by another process is refused at the latest after this. */
const FORGET_MS = 10_000;

function playbackBase({ playbackurl, name, http }: LiveConfig): string {
  return playbackurl === "" ? `http://${name}:${parseHostPort("http", http, 0).port}` : playbackurl.replace(/\/$/, "");
}

function webhooksOf({ webhook, webhooksecret }: LiveConfig): { readonly url: string; readonly secret: string }[] {
  if (webhook === "") return [];
  if (!/^https?:\/\/\S+$/.test(webhook) || !URL.canParse(webhook))
    throw new ConfigError("webhook", `--webhook: "${webhook}" is not an address; http:// and https:// are allowed`);
  if (webhooksecret === "")
    throw new ConfigError("webhooksecret", "--webhooksecret: nothing is given; give the secret that events are signed with");
  return [{ url: webhook, secret: webhooksecret }];
}

async function listenSecurely(config: LiveConfig, origin: Origin, loop: NodeLoop): Promise<void> {
  const at = parseHostPort("rtmps", config.rtmps, 0);
  if ((config.tlscert === "") !== (config.tlskey === ""))
    throw new ConfigError("tlscert", "--tlscert, --tlskey: only one of them is given; give both, or none for a certificate of our own");
  const certificate =
    config.tlscert === ""
      ? await ownCertificate(config.data, [config.name], Date.now())
      : certificateFromFiles(config.tlscert, config.tlskey);
  origin.listenSecurely((accept) => loop.listenSecurely(at, certificate, accept));
}

/** An installation without any access key gets one, in a file for AWS's tools: it is said nowhere else. */
async function firstKey(credentials: Credentials, { data, region, api }: LiveConfig, log: Log): Promise<void> {
  if ((await credentials.count()) > 0) return;
  const { id, secret } = await credentials.create("admin", "first", Date.now());
  const path = join(data, "credentials");
  writeFileSync(path, `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`, { mode: 0o600 });
  log.info({ file: path }, "the first access key was made");
  process.stderr.write(
    `An access key is in ${path}:\n  AWS_SHARED_CREDENTIALS_FILE=${path} aws ivs create-channel --region ${region} --endpoint-url http://${api.replace(/^:/, "localhost:")}\n`,
  );
}
