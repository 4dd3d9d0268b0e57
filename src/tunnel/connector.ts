/**
 * Joins streams that the peer opens to the targets they ask for.
 *
 *   description ─▶ target on the list? ─▶ name found? ─▶ connecting ─▶ (PROXY header ─▶) bytes
 *                  └ no: refused, and both ends say so
 *
 * The PROXY header names the application when the client told its address, which is believed because it holds the key; else the tunnel's client.
 */
import type { Millis } from "../base/units.ts";
import { type Description, KIND_TCP, REFUSED_FEATURE, REFUSED_TARGET } from "../extension/description.ts";
import type { Endpoint, Loop } from "../host/loop.ts";
import { type ProxiedAddress, proxyHeader } from "../host/proxy-protocol.ts";
import type { ChannelCounters } from "./channel-counters.ts";
import { addressOf, formatPlace } from "./place.ts";
import type { Session } from "./session.ts";
import type { Stream } from "./stream.ts";
import type { TargetList } from "./target.ts";
import type { TargetNames } from "./target-names.ts";

export interface ConnectorOptions {
  readonly loop: Loop;
  readonly counters: ChannelCounters;
  readonly targets: TargetList;
  readonly names: TargetNames;
  /** What the list is called in the configuration. */
  readonly option: string;
  /** Read where it is needed: it may change. */
  readonly config: { readonly proxyprotocol: boolean; readonly quiet: boolean };
}

const nowhere: ProxiedAddress = { host: "", port: 0 };

export class Connector {
  readonly #options: ConnectorOptions;
  #targets: TargetList;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#targets = options.targets;
  }

  get targets(): TargetList {
    return this.#targets;
  }

  /** Streams that are open keep their target. */
  set targets(targets: TargetList) {
    this.#targets = targets;
    this.#options.names.clear();
  }

  connect(session: Session, stream: Stream, now: Millis, description: Description | undefined): void {
    const { loop, config, counters, names } = this.#options;
    const { log } = session;
    const name = description?.target ?? "";
    if (description !== undefined && description.kind !== KIND_TCP) {
      session.introductions.refuse(now, stream, REFUSED_FEATURE, `streams of kind ${description.kind} are not known here`);
      return;
    }
    const target = this.targets.find(KIND_TCP, name);
    if (target === undefined || session.lock?.user.mayReach(name) === false) {
      counters.refusedTargets++;
      const of = target === undefined ? `option ${this.#options.option}` : "not one of the user's targets";
      const reason = name === "" && target === undefined ? "no default target for TCP" : `"${name}" is not a target for TCP here (${of})`;
      log.warn(
        { peer: session.peerName, stream: stream.sid, target: name, refused: counters.refusedTargets },
        `connection refused: ${reason}`,
      );
      session.introductions.refuse(now, stream, REFUSED_TARGET, reason);
      return;
    }
    if (!config.quiet) {
      const from = description?.source === undefined ? undefined : formatPlace(description.source);
      log.info({ peer: session.peerName, stream: stream.sid, from, target: target.text }, "connection opened");
    }
    const preface = this.#preface(session, description);
    const join = (to: Endpoint): void => stream.attach(loop.connect(to, stream, session.peerName), false, preface);
    const { endpoint } = target;
    const address = "path" in endpoint ? undefined : names.known(endpoint.host, now);
    if ("path" in endpoint || address !== undefined) {
      join("path" in endpoint || address === undefined ? endpoint : { host: address, port: endpoint.port });
      return;
    }
    names.find(endpoint.host, (host, at) => {
      if (session.streams.get(stream.sid) !== stream) return;
      if (host !== undefined) join({ host, port: endpoint.port });
      else {
        counters.unresolved++;
        session.streamBroken(at, stream, `the name ${endpoint.host} was not found`);
      }
    });
  }

  #preface(session: Session, description: Description | undefined): Uint8Array | undefined {
    if (!this.#options.config.proxyprotocol) return undefined;
    if (description === undefined) return session.addresses === undefined ? undefined : proxyHeader(...session.addresses());
    const { source, destination } = description;
    return proxyHeader(
      source === undefined ? nowhere : addressOf(source),
      destination === undefined ? { host: "::", port: 0 } : addressOf(destination),
    );
  }
}
