/**
 * The nftables datapath: a table of our own (layout.ts), changed by one transaction a plan, and conntrack, which does the work.
 *
 *   apply   plan ─► Ruleset.change ─► host/nf-tables ─► kernel    one transaction; foreign tables are not in it
 *   first   the table's element "state" says what it holds: what is known is changed, anything else is led over in one transaction too
 *   stats   conntrack's counters of connections that wear our label, those that ended (as long as this process lives), and the sets of what was dropped
 *
 * Deviations from what datapath.ts promises: what the machine itself sends to a listen place is not forwarded; counters of flows that ended while no
 * process of ours listened are lost.
 */
import { HostError } from "../../base/errors.ts";
import { addTraffic } from "../../base/traffic.ts";
import { type Connection, Conntrack, EndedConnections } from "../../host/conntrack.ts";
import { formatHostPort } from "../../host/ip-address.ts";
import type { Log } from "../../host/log.ts";
import { NfTables } from "../../host/nf-tables/nf-tables.ts";
import { Transaction } from "../../host/nf-tables/transaction.ts";
import {
  type Capabilities,
  type Capture,
  type CaptureOptions,
  type Datapath,
  type DatapathStats,
  type Flow,
  type ForwardStats,
  newForwardStats,
  type PacketSink,
} from "../datapath.ts";
import { type DesiredState, NOTHING_DESIRED } from "../desired-state.ts";
import type { Forward } from "../forward.ts";
import { ForwardIndex } from "../forward-index.ts";
import { contains, type Family, parseAddress } from "../ip-range.ts";
import { formatBackend, formatListen, portOf } from "../listen.ts";
import { isEmpty, type Plan, plan } from "../plan.ts";
import { captureByLog } from "./capture.ts";
import { readDrops } from "./drops.ts";
import { type Base, LABEL, TABLE } from "./layout.ts";
import { Ruleset, readState } from "./ruleset.ts";
import { leadOver } from "./takeover.ts";

export interface NftablesOptions {
  readonly log: Log;
  /** Counts flows that ended; false for a process that soon ends itself. */
  readonly watch: boolean;
}

export class NftablesDatapath implements Datapath {
  readonly kind = "nftables";
  readonly capabilities: Capabilities = { outlivesProcess: true, transparent: true, capture: true };
  readonly #log: Log;
  readonly #kernel = new NfTables();
  readonly #connections = new Conntrack();
  readonly #ended: EndedConnections | undefined;
  /** Of flows that ended, by forward. */
  readonly #past = new Map<string, ForwardStats>();
  #state: DesiredState = NOTHING_DESIRED;
  /** Made when it is asked for: changes need none. */
  #index: ForwardIndex | undefined;
  /** Undefined: what the table holds is not known. */
  #ruleset: Ruleset | undefined;
  #last: Plan | undefined;
  /** Plans whose lost flows have not been ended yet: looking through all connections takes longer than the change itself. */
  readonly #lost: Plan[] = [];
  #sweep: NodeJS.Immediate | undefined;

  /** @throws HostError that says what is missing: the program, the right, the kernel's part */
  static async open(options: NftablesOptions): Promise<NftablesDatapath> {
    const datapath = new NftablesDatapath(options);
    try {
      datapath.#read();
    } catch (error) {
      await datapath.close(true);
      throw error;
    }
    return datapath;
  }

  private constructor({ log, watch }: NftablesOptions) {
    this.#log = log;
    if (watch) this.#ended = new EndedConnections(LABEL, (connection) => this.#bury(connection));
  }

  refuses(): string | undefined {
    return undefined;
  }

  async apply(given: Plan): Promise<void> {
    const known = this.#ruleset ?? this.#recognize(given.before);
    // A failure leaves the table as it was, but not the ruleset.
    this.#ruleset = undefined;
    if (known === undefined) {
      this.#ruleset = leadOver(given.after, this.#kernel);
    } else {
      if (!isEmpty(given) || known.state.revision !== given.after.revision) {
        const transaction = new Transaction(TABLE);
        known.change(transaction, given);
        this.#kernel.commit(transaction);
      }
      this.#ruleset = known;
    }
    this.look(given.after);
    this.#last = given;
    this.#lost.push(given);
    this.#sweep ??= setImmediate(() => this.#endAllLost());
  }

  look(state: DesiredState): void {
    this.#state = state;
    this.#index = undefined;
  }

  async verify(): Promise<string | undefined> {
    // Whoever verifies holds it for done.
    this.#endAllLost();
    const wrong = this.#wrong();
    // What the table holds is not known any more: the next change leads over all of it.
    if (wrong !== undefined) this.#ruleset = undefined;
    return wrong;
  }

  async rollback(): Promise<void> {
    const last = this.#last;
    if (last === undefined) return;
    this.#last = undefined;
    await this.apply(plan(last.after, last.before));
    this.#last = undefined;
  }

  async stats(): Promise<DatapathStats> {
    this.#endAllLost();
    const forwards = new Map<string, ForwardStats>();
    for (const [name, past] of this.#past) if (this.#state.forwards.has(name)) forwards.set(name, { ...past });
    this.#connections.list(LABEL, (connection) => {
      const name = this.#forwardOf(connection)?.name;
      if (name === undefined) return;
      const stats = statsOf(forwards, name);
      stats.flows++;
      addTraffic(stats, connection);
    });
    const drops = readDrops(this.#kernel);
    for (const { host, port, reason, packets } of drops.places) {
      const name = this.#find(host, port)?.name;
      if (name !== undefined) statsOf(forwards, name)[reason] += packets;
    }
    return { forwards, counters: { endedFlowsMissed: this.#ended?.overruns ?? 0, dropPlaces: drops.places.length } };
  }

  async flows(limit: number, forward?: string): Promise<readonly Flow[]> {
    this.#endAllLost();
    const flows: Flow[] = [];
    this.#connections.list(LABEL, (connection) => {
      if (flows.length >= limit) return;
      const name = this.#forwardOf(connection)?.name;
      if (name !== undefined && (forward === undefined || forward === name)) flows.push(flowOf(connection, name));
    });
    return flows;
  }

  async endFlows(forward: string, backend?: string): Promise<number> {
    this.#endAllLost();
    return this.#endMatching(
      (connection) => this.#forwardOf(connection)?.name === forward && (backend === undefined || backendOf(connection) === backend),
    );
  }

  capture(options: CaptureOptions, sink: PacketSink): Promise<Capture> {
    const forward = options.forward === undefined ? undefined : this.#state.forwards.get(options.forward);
    if (options.forward !== undefined && forward === undefined)
      throw new HostError("ENOENT", "capture", `no forward is called "${options.forward}"`);
    return captureByLog(options, forward, sink, this.#kernel);
  }

  async close(keep: boolean): Promise<void> {
    this.#endAllLost();
    this.#ended?.close();
    try {
      if (keep) return;
      const transaction = new Transaction(TABLE);
      transaction.addTable();
      transaction.deleteTable();
      this.#kernel.commit(transaction);
      this.#endMatching(() => true);
    } finally {
      this.#kernel.close();
      this.#connections.close();
    }
  }

  /** The ruleset that the table holds, if it holds `before`. */
  #recognize(before: DesiredState): Ruleset | undefined {
    const state = this.#read();
    if (state === undefined) return undefined;
    const ruleset = new Ruleset(before.forwards.values(), before.revision, state.bases);
    return ruleset.state.digest === state.digest && before.revision === state.revision ? ruleset : undefined;
  }

  #wrong(): string | undefined {
    const state = this.#read();
    if (state === undefined) return `the table "${TABLE}" is gone`;
    const wanted = this.#ruleset?.state;
    const same = wanted !== undefined && state.digest === wanted.digest && state.revision === wanted.revision;
    return same ? undefined : `the table "${TABLE}" holds revision ${state.revision} of somebody else`;
  }

  #read(): TableState | undefined {
    const element = this.#kernel.elements(TABLE, "state")?.[0];
    if (element === undefined) return undefined;
    const bases = new Map<Family, Base>();
    for (const text of element.comment.split(" ")) {
      const [family, idle, source] = text.split(":");
      if ((family === "4" || family === "6") && idle !== undefined && source !== undefined)
        bases.set(family === "4" ? 4 : 6, { idle, source });
    }
    return { ...readState(element.key), bases };
  }

  #endAllLost(): void {
    clearImmediate(this.#sweep);
    this.#sweep = undefined;
    try {
      for (const each of this.#lost.splice(0)) this.#endLost(each);
    } catch (error) {
      // They end by themselves when they idle.
      this.#log.warn({ reason: (error as Error).message }, "flows of what is gone could not be ended");
    }
  }

  /**
   * Flows of forwards that are gone or off, and of backends that are no longer any of theirs; and what came to a new place before it was one: conntrack
   * knows that as connections to this machine, and would go on so.
   */
  #endLost({ added, removed, changed, after }: Plan): void {
    const touched = changed.filter((change) => losesFlows(change.before, change.after));
    let ended = 0;
    if (removed.length + touched.length > 0) {
      const before = new ForwardIndex([...removed, ...touched.map((change) => change.before)]);
      ended = this.#endMatching(({ original: { to, toPort }, reply }) => {
        const old = before.find(to, toPort);
        if (old === undefined) return false;
        const now = after.forwards.get(old.name);
        if (now === undefined || now.state === "off") return true;
        return !hasPlace(now, to, toPort) || !keeps(now, toPort, formatHostPort(reply.from, reply.fromPort));
      });
    }
    const moved = changed.filter(
      ({ before, after: now }) => before.state === "off" || formatListen(before.listen) !== formatListen(now.listen),
    );
    if (added.length + moved.length > 0) {
      const places = new ForwardIndex([...added, ...moved.map((change) => change.after)]);
      this.#endMatching(({ original: { to, toPort } }) => places.find(to, toPort) !== undefined, false);
    }
    if (ended > 0) this.#log.info({ ended }, "flows of what is gone have ended");
  }

  /** `ours`: of connections that we forward, or of the others. */
  #endMatching(wanted: (connection: Connection) => boolean, ours = true): number {
    const found: Connection[] = [];
    const take = (connection: Connection): void => {
      if (wanted(connection)) found.push(connection);
    };
    this.#connections.list(LABEL, take, ours);
    return found.length === 0 ? 0 : this.#connections.end(found);
  }

  #forwardOf({ original }: Connection): Forward | undefined {
    return this.#find(original.to, original.toPort);
  }

  #find(host: string, port: number): Forward | undefined {
    this.#index ??= new ForwardIndex(this.#state.forwards.values());
    return this.#index.find(host, port);
  }

  #bury(connection: Connection): void {
    const name = this.#forwardOf(connection)?.name;
    if (name !== undefined) addTraffic(statsOf(this.#past, name), connection);
  }
}

interface TableState {
  readonly digest: number;
  readonly revision: number;
  readonly bases: ReadonlyMap<Family, Base>;
}

function losesFlows(before: Forward, after: Forward): boolean {
  return (
    after.state === "off" ||
    before.backends.map(formatBackend).sort().join() !== after.backends.map(formatBackend).sort().join() ||
    formatListen(before.listen) !== formatListen(after.listen)
  );
}

function hasPlace({ listen: { addresses, ports } }: Forward, host: string, port: number): boolean {
  const address = parseAddress(host);
  return address !== undefined && port >= ports.first && port <= ports.last && contains(addresses, address.family, address.value);
}

/** Whether a backend as a flow names it is one of the forward's. */
function keeps(forward: Forward, listenPort: number, backend: string): boolean {
  return forward.backends.some((each) => formatBackend({ ...each, port: portOf(forward.listen, each) ?? listenPort }) === backend);
}

function backendOf({ reply }: Connection): string {
  return formatHostPort(reply.from, reply.fromPort);
}

function flowOf(connection: Connection, forward: string): Flow {
  const { original, reply, packetsIn, bytesIn, packetsOut, bytesOut, expires } = connection;
  return {
    forward,
    source: formatHostPort(original.from, original.fromPort),
    listen: formatHostPort(original.to, original.toPort),
    seenAs: formatHostPort(reply.to, reply.toPort),
    backend: backendOf(connection),
    ...{ packetsIn, bytesIn, packetsOut, bytesOut },
    expiresSeconds: expires,
  };
}

function statsOf(forwards: Map<string, ForwardStats>, name: string): ForwardStats {
  const known = forwards.get(name);
  if (known !== undefined) return known;
  const stats = newForwardStats();
  forwards.set(name, stats);
  return stats;
}
