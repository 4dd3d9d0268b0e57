/** POST /api/v3/GetClientConfiguration: an encoder that speaks multitrack video asks what to send (live/client-configuration.ts). The stream key is its only credential. */
import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Log } from "../host/log.ts";
import type { ClientAddress } from "../host/trusted-proxies.ts";
import { clientConfiguration, clientConfigurationRequest, refusal } from "../live/client-configuration.ts";
import type { LiveConfig } from "../live/config.ts";
import { viewerOf } from "../live/delivery.ts";
import type { Origin } from "../live/origin.ts";
import { parseClaim } from "../live/priority.ts";
import { parseHostPort } from "../tunnel/address.ts";

/** OBS tells of its machine in some kilobytes. */
const BODY_MAX = 65_536;

export interface ClientConfigurationRoute {
  readonly origin: Origin;
  readonly config: LiveConfig;
  readonly log: Log;
  readonly client?: ClientAddress;
}

export function clientConfigurationApi({ origin, config, log, client }: ClientConfigurationRoute): Hono {
  const app = new Hono();
  const limit = bodyLimit({ maxSize: BODY_MAX, onError: (context) => context.json(refusal("The request is too long."), 413) });
  app.post("/api/v3/GetClientConfiguration", limit, async (context) => {
    context.header("cache-control", "no-store");
    const request = clientConfigurationRequest.safeParse(await context.req.json().catch(() => undefined));
    if (!request.success) {
      const [issue] = request.error.issues;
      return context.json(refusal(`The request is not one of GetClientConfiguration: ${issue?.path.join(".")} ${issue?.message}`), 400);
    }
    const { address } = viewerOf(context, client);
    const channel = origin.channelOf(parseClaim(request.data.authentication).key, address, origin.now());
    if ("reason" in channel) {
      log.warn({ peer: address, reason: channel.reason }, `client configuration refused: ${channel.description}`);
      return context.json(refusal(channel.description));
    }
    const { name = "", version = "" } = request.data.client ?? {};
    log.info({ channel: channel.name, client: name, version }, "client configuration asked for");
    const ingest = endpoints(config, new URL(context.req.url).hostname);
    return context.json(
      clientConfiguration(request.data, { rules: origin.multitrack(channel), segment: config.segment, ingest, id: randomUUID() }),
    );
  });
  return app;
}

/** The safest first. */
function endpoints({ data, name, rtmp, rtmps }: LiveConfig, asked: string): readonly string[] {
  const at = (scheme: string, address: string): string =>
    `${scheme}://${data === "" ? asked : name}:${parseHostPort(scheme, address, 0).port}/app/{stream_key}`;
  return [...(data !== "" && rtmps !== "" ? [at("rtmps", rtmps)] : []), at("rtmp", rtmp)];
}
