/** An edge that belongs to an installation: serves what it served last until control says otherwise, and keeps what it is told. */

import { hostname } from "node:os";
import { ControlLink } from "../accelerate/control-link.ts";
import type { Edge } from "../accelerate/edge.ts";
import type { EdgeConfig } from "../accelerate/edge-config.ts";
import { EdgeReporter } from "../accelerate/edge-reporter.ts";
import { HostError } from "../base/errors.ts";
import { certificateRequest } from "../host/certificate-request.ts";
import type { Log } from "../host/log.ts";
import { type EdgeIdentity, isOld, keepIdentity, keepServed } from "./edge-identity.ts";
import { release } from "./release.ts";

const RENEWAL_LOOK_MS = 3_600_000;
/** Tuning: the disk is not asked more often. */
const KEEP_EVERY_MS = 1000;

export interface EdgeLink {
  readonly counters: Record<string, number>;
  readonly linked: boolean;
  close(): void;
}

/** `serve`: does it and answers how many places could not be opened. */
export function linkEdge(
  edge: Edge,
  identity: EdgeIdentity,
  folder: string,
  serve: (config: EdgeConfig) => Promise<number>,
  log: Log,
): EdgeLink {
  let mine = identity;
  let wanted: { readonly key: string } | undefined;
  const keeper = new Keeper(folder, log);
  const reporter = new EdgeReporter(edge);
  const link = new ControlLink({
    ...{ addresses: identity.addresses, identity, name: hostname(), release: release(), log, random: Math.random },
    serving: () => edge.config,
    serve: async (config) => {
      const problems = await serve(config);
      keeper.keep(config);
      return problems;
    },
    report: (whole) => reporter.report(whole),
    renewed: (certificate) => {
      if (wanted === undefined) return;
      mine = { ...mine, certificate, key: wanted.key };
      wanted = undefined;
      keepIdentity(folder, mine);
      link.identify(mine);
      log.info({ edge: mine.id }, "the certificate was renewed");
    },
  });
  const renew = async (): Promise<void> => {
    if (!link.linked || !isOld(mine, Date.now())) return;
    const { key, request } = await certificateRequest("edge");
    wanted = { key };
    link.renew(request);
  };
  const timer = setInterval(() => void renew(), RENEWAL_LOOK_MS);
  link.start();
  return {
    counters: link.counters,
    get linked() {
      return link.linked;
    },
    close: () => {
      clearInterval(timer);
      link.close();
      keeper.close();
    },
  };
}

/** The last of what came within a second. */
class Keeper {
  readonly #folder: string;
  readonly #log: Log;
  #config: EdgeConfig | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  keep(config: EdgeConfig): void {
    this.#config = config;
    this.#timer ??= setTimeout(() => this.close(), KEEP_EVERY_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#config === undefined) return;
    try {
      keepServed(this.#folder, this.#config);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#log.error({ reason: error.message }, "what is served cannot be kept; after a restart without control an older one is served");
    }
    this.#config = undefined;
  }
}
