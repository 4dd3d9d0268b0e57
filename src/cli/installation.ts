/**
 * The installation behind `longhaul live --data FOLDER`: a store, the APIs of AWS IVS and Global Accelerator over it, and the origin doing what is stored.
 *
 *   FOLDER/longhaul.db, master.key, credentials     the store (store.ts)
 *   FOLDER/recordings/                              a folder for each bucket, unless --recordings names another place
 *   FOLDER/tls-*.pem                                our own certificate, where none is given
 */
import { join } from "node:path";
import { ConfigError } from "../base/errors.ts";
import { channelsPage, page } from "../console/page.ts";
import { acceleratorApi, acceleratorService } from "../control/accelerator/api.ts";
import { poolOf, quotasOf } from "../control/accelerator/config.ts";
import type { AcceleratorContext } from "../control/accelerator/context.ts";
import { consoleApi } from "../control/console/console-api.ts";
import { Sessions } from "../control/console/sessions.ts";
import { controlApi } from "../control/control-api.ts";
import { EdgeRegistry } from "../control/edges/registry.ts";
import { ivsApi, ivsService } from "../control/ivs/api.ts";
import { playbackPath } from "../control/ivs/channel-view.ts";
import { type IvsContext, quotaDefaults } from "../control/ivs/context.ts";
import { Gate } from "../control/live/gate.ts";
import { InstallationOrigin } from "../control/live/installation-origin.ts";
import { pictureByFfmpeg } from "../control/live/thumbnails.ts";
import { Webhooks } from "../control/live/webhooks.ts";
import { certificateFromFiles, ownCertificate } from "../host/certificate.ts";
import { countriesFrom } from "../host/country.ts";
import { serveHttp } from "../host/http.ts";
import type { Log } from "../host/log.ts";
import type { NodeLoop } from "../host/loop-node.ts";
import type { LiveConfig } from "../live/config.ts";
import { type DeliveryOptions, delivery } from "../live/delivery.ts";
import type { Extra } from "../live/link-figures.ts";
import type { Origin } from "../live/origin.ts";
import { status } from "../live/status.ts";
import { parseHostPort } from "../tunnel/address.ts";
import type { LiveOptions } from "./live.ts";
import { openStorage } from "./object-storage.ts";
import { FORGET_MS, firstKey, openStore } from "./store.ts";

export interface Installation {
  readonly delivery: Pick<DeliveryOptions, "gate" | "alias">;
  /** Passphrase of a channel for SRT. */
  passphrase(channel: string): string;
  close(): Promise<void>;
}

/** @throws ConfigError, HostError */
export async function startInstallation(
  config: LiveOptions,
  origin: Origin,
  loop: NodeLoop,
  log: Log,
  srt: boolean,
): Promise<Installation> {
  const webhooks = new Webhooks(webhooksOf(config), config, log);
  const country = countriesFrom(config.countries);
  const { database, seal, master, credentials } = await openStore(config.data, config.database);
  const address = `http://${config.api.replace(/^:/, "localhost:")}`;
  const example = `aws ivs create-channel --region ${config.region} --endpoint-url ${address}`;
  process.stderr.write(await firstKey(credentials, config.data, example, log));
  const context: Omit<IvsContext, "live"> = {
    database,
    seal,
    place: config,
    hosts: { ingest: config.name, playback: playbackBase(config), srt: srt ? srtAddress(config) : "" },
    quotas: quotaDefaults,
    now: Date.now,
  };
  const live = new InstallationOrigin(origin, context, log, {
    sinks: [(event) => webhooks.post(event)],
    storage: openStorage({
      ...{ option: "recordings", given: config.recordings, folder: join(config.data, "recordings") },
      ...{ key: config.recordingskey, secret: config.recordingssecret, region: config.recordingsregion },
    }),
    picture: pictureByFfmpeg(log),
    transcoders: config.transcoders,
    concurrency: { broadcasts: config.broadcasts, viewers: config.views },
  });
  await live.start();
  const admits = (others: number): boolean => live.concurrency.admits("viewers", others);
  const gate = new Gate({
    admits,
    directory: live.directory,
    place: config,
    sessionKey: master,
    viewers: live.viewers,
    country,
    now: Date.now,
  });
  if (config.rtmps !== "") await listenSecurely(config, origin, loop);
  const accelerator: AcceleratorContext = {
    database,
    account: config.account,
    domain: config.domain,
    pool: poolOf(config),
    quotas: quotasOf(config),
    edges: new EdgeRegistry(database),
    now: Date.now,
  };
  const accelerators = acceleratorService(accelerator, credentials, log);
  const extra: Extra =
    config.rtmps === "" ? {} : { publish: { rtmps: `rtmps://${config.name}:${parseHostPort("rtmps", config.rtmps, 0).port}/app/` } };
  const console = {
    service: ivsService({ ...context, live }, credentials, log),
    status: () => status(origin, extra),
    ingestHealth: (id: string) => live.ingestHealth(id),
    preview: delivery(origin),
  };
  const apis = controlApi({
    database,
    accelerator: acceleratorApi(accelerators),
    ivs: ivsApi({ ...context, live }, credentials, log),
    console: consoleApi(accelerators, new Sessions(credentials, master), console),
    page: page(channelsPage),
  });
  const server = await serveHttp(apis.fetch, parseHostPort("api", config.api, 0));
  const forget = setInterval(() => credentials.forget(), FORGET_MS);
  log.info(
    { api: config.api, rtmps: config.rtmps, region: config.region, account: config.account },
    "the APIs of AWS IVS and Global Accelerator are served",
  );
  const known = (name: string): string | undefined => {
    const id = /^[^.]+\.\d{12}\.channel\.(\w{12})\.m3u8$/.exec(name)?.[1];
    return id !== undefined && `/api/video/v1/${name}` === playbackPath(config.region, config.account, id) ? id : undefined;
  };
  return {
    delivery: { gate, alias: { path: "/api/video/v1/:name", channel: known } },
    passphrase: (id) => live.directory.passphrase(id),
    async close() {
      clearInterval(forget);
      await server.close();
      await live.close();
      webhooks.close();
      await database.destroy();
    },
  };
}

function srtAddress({ name, srt }: LiveConfig): string {
  return `srt://${name}:${parseHostPort("srt", srt, 0).port}`;
}

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
  origin.listenWith("rtmps", (accept) => loop.listenWith(at, { certificate, proxied: config.proxyprotocol }, accept));
}
