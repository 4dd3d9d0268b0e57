/**
 * A GET that a server must answer with a status of 200 to 299. Its body is not waited for, a redirection is no such answer, and the certificate may be anybody's: a
 * check asks whether somebody is there, not who.
 */
import { request as ask, type ClientRequest } from "node:http";
import { request as askSecurely } from "node:https";
import type { Millis } from "../base/units.ts";
import { formatHostPort, ipFamily } from "./ip-address.ts";
import type { Probe } from "./probe.ts";
import { type ProbeOutcome, REFUSED, SILENT, WRONG } from "./probe-outcome.ts";

export function probeHttp({ kind, host, port, path = "/", name, timeout }: Probe): Promise<ProbeOutcome> {
  const started: Millis = performance.now();
  return new Promise((settle) => {
    const named = name !== undefined && ipFamily(name) === 0;
    const headers = { Host: formatHostPort(named ? name : host, port), "User-Agent": "longhaul", Connection: "close" };
    const options = { host, port, path, headers, agent: false };
    const request: ClientRequest =
      kind === "https" ? askSecurely({ ...options, rejectUnauthorized: false, ...(named ? { servername: name } : {}) }) : ask(options);
    const timer = setTimeout(() => done(SILENT), timeout);
    let settled = false;
    const done = (outcome: ProbeOutcome): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      request.destroy();
      settle(outcome);
    };
    request.on("response", ({ statusCode = 0 }) =>
      done(statusCode >= 200 && statusCode < 300 ? { took: performance.now() - started } : WRONG),
    );
    // What is refused before a connection stands is a refusal, an answer that is not HTTP a wrong one; parsers and TLS name theirs so.
    request.on("error", ({ code = "" }: NodeJS.ErrnoException) => done(/^(HPE_|ERR_|EPROTO)/.test(code) ? WRONG : REFUSED));
    request.end();
  });
}
