/** Runs `longhaul raw`: its ends, what watches them, signals. */
import { deferred } from "../base/deferred.ts";
import { DEFAULT_PASSWORD } from "../faketcp/keys.ts";
import { createLog, type Log } from "../host/log.ts";
import { watchedRaw } from "../metrics/raw-pages.ts";
import { processFacts, serveLocal, serveMetrics } from "./metrics-server.ts";
import { RawEnd } from "./raw-end.ts";
import type { RawProcess, RawSettings } from "./raw-settings.ts";
import { isWeak, weakness } from "./raw-weakness.ts";
import { onStop } from "./signals.ts";

/** @throws HostError when raw packets, a rule or an address cannot be had; ConfigError */
export async function carryRaw(ends: readonly RawSettings[], { metrics, statusSocket }: RawProcess): Promise<number> {
  const [first] = ends as [RawSettings, ...RawSettings[]];
  if (!first.colors) process.env.NO_COLOR = "1";
  const log = createLog(first.logLevel).child({ module: "raw" });
  for (const settings of ends) warn(settings, log);
  const running: RawEnd[] = [];
  const stopped = deferred<Error | undefined>();
  const stopping = new AbortController();
  const off = onStop((signal) => {
    log.info({ signal }, "stopping");
    stopping.abort();
    stopped.resolve(undefined);
  });
  const pages: { close(): Promise<void>; readonly counters: { connectionsDropped: number } }[] = [];
  try {
    // Before packets leave: a page that cannot be had is a mistake of the configuration.
    const facts = () =>
      processFacts({ io: "epoll", at: address(first.local), to: address(first.remote) }, () =>
        pages.reduce((sum, { counters }) => sum + counters.connectionsDropped, 0),
      );
    const watched = watchedRaw(() => Promise.all(running.map((end) => end.counters())), facts, Date.now);
    for (const page of [await serveMetrics(watched, metrics), await serveLocal(watched, `raw-${first.role}`, statusSocket, log)]) {
      if (page !== undefined) pages.push(page);
    }
    for (const [number, settings] of ends.entries()) {
      // An end that has begun to start is waited for: threads and rules of one that nobody knows would stay.
      const end = await RawEnd.start(settings, number, log, stopped.resolve, stopping.signal);
      if (end === undefined) break;
      running.push(end);
    }
    const error = await stopped.promise;
    for (const end of running) {
      const { observations, firewall } = await end.counters();
      for (const { counted } of observations)
        log.info({ ...counted, ...(firewall === undefined ? {} : { firewall }) }, "counters of this process");
    }
    if (error !== undefined) throw error;
    return 0;
  } finally {
    off();
    await Promise.all(running.map((end) => end.stop()));
    await Promise.all(pages.map((page) => page.close()));
  }
}

function warn({ stream, password, passwordCut, cipherMode, authMode }: RawSettings, log: Log): void {
  if (password === DEFAULT_PASSWORD)
    log.warn({}, "the password is udp2raw's public default: anybody can connect and read; give --key-file");
  if (passwordCut) log.warn({}, "the password ends at its first blank, as udp2raw reads it");
  if (!stream && isWeak(cipherMode, authMode))
    log.warn(
      { cipherMode, authMode },
      `weak: ${weakness(cipherMode, authMode)}; aes128gcm between two of ours, aes128cbc with hmac_sha1 to a udp2raw are better`,
    );
}

function address({ host, port }: RawSettings["local"]): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
