/**
 * Counters of the whole process as kcp-go's SNMP block has them, never reset: for `snmplog` and SIGUSR1.
 *
 * Live sessions are asked when a snapshot is taken; a session that ends leaves its counts here. Nothing is added on the packet's path.
 *
 * Source: reference kcptun.md 9.3. Deviations: InErrs counts datagrams that belong to no session; the three RingBuffer columns are the
 * segments that wait, the bytes to be read and the segments in flight of all live sessions; FECFullShards counts groups whose data shards all
 * came, which this decoder does not know apart, so that it, FECShardSet, FECShardMin, FECShortShards and OOBPackets have a column that stays 0.
 */
import type { CipherStats } from "../cipher/cipher.ts";
import type { EndpointCounters } from "./endpoint.ts";
import type { Session } from "./session.ts";

const before = [
  ...["BytesSent", "BytesReceived", "MaxConn", "ActiveOpens", "PassiveOpens", "CurrEstab", "InErrs", "InCsumErrors", "KCPInErrors"],
  ...["InPkts", "OutPkts", "InSegs", "OutSegs", "InBytes", "OutBytes"],
  ...["RetransSegs", "FastRetransSegs", "EarlyRetransSegs", "LostSegs", "RepeatSegs"],
];

/** Columns behind "Unix", in each generation's order. */
export const snmpColumns: Readonly<Record<"2021" | "2026", readonly string[]>> = {
  "2021": [...before, "FECParityShards", "FECErrs", "FECRecovered", "FECShortShards"],
  "2026": [
    ...before,
    ...["FECFullShards", "FECParityShards", "FECErrs", "FECRecovered", "FECShardSet", "FECShardMin"],
    ...["RingBufferSndQueue", "RingBufferRcvQueue", "RingBufferSndBuffer", "OOBPackets"],
  ],
};

/** Every column of the generation with its value. */
export function allCounters(generation: "2021" | "2026", counters: SnmpCounters): SnmpCounters {
  return Object.fromEntries(snmpColumns[generation].map((column) => [column, counters[column] ?? 0]));
}

/** Values by column; a column that is not in it is 0. */
export type SnmpCounters = Readonly<Record<string, number>>;

export class Snmp {
  readonly #role: "client" | "server";
  readonly #cipher: CipherStats;
  readonly #live = new Set<Session>();
  readonly #ended: Record<string, number> = {};
  readonly #endpoints = new Set<EndpointCounters>();
  #opens = 0;
  #most = 0;

  /** `cipher` counts for all endpoints. */
  constructor(role: "client" | "server", cipher: CipherStats) {
    this.#role = role;
    this.#cipher = cipher;
  }

  sessionStarted(session: Session): void {
    this.#opens++;
    this.#live.add(session);
    this.#most = Math.max(this.#most, this.#live.size);
  }

  sessionEnded(session: Session): void {
    if (this.#live.delete(session)) addSession(this.#ended, session);
  }

  endpointOpened(counters: EndpointCounters): void {
    this.#endpoints.add(counters);
  }

  endpointClosed(counters: EndpointCounters): void {
    if (this.#endpoints.delete(counters)) add(this.#ended, "InErrs", counters.strayDatagrams);
  }

  counters(): SnmpCounters {
    const sum = { ...this.#ended };
    for (const session of this.#live) {
      addSession(sum, session);
      const { kcp } = session;
      add(sum, "RingBufferSndQueue", kcp.waitSnd - kcp.stats.inFlight);
      add(sum, "RingBufferRcvQueue", kcp.readable);
      add(sum, "RingBufferSndBuffer", kcp.stats.inFlight);
    }
    for (const { strayDatagrams } of this.#endpoints) add(sum, "InErrs", strayDatagrams);
    sum[this.#role === "client" ? "ActiveOpens" : "PassiveOpens"] = this.#opens;
    sum.CurrEstab = this.#live.size;
    sum.MaxConn = this.#most;
    sum.InCsumErrors = this.#cipher.checksumErrors;
    add(sum, "InErrs", this.#cipher.shortDatagrams);
    return sum;
  }
}

function addSession(sum: Record<string, number>, { kcp: { stats }, transport }: Session): void {
  const { decoder } = transport;
  add(sum, "BytesSent", stats.bytesSent);
  add(sum, "BytesReceived", stats.bytesReceived);
  add(sum, "KCPInErrors", stats.inErrs);
  add(sum, "InPkts", transport.receivedDatagrams);
  add(sum, "OutPkts", transport.sentDatagrams);
  add(sum, "InSegs", stats.inSegs);
  add(sum, "OutSegs", stats.outSegs);
  add(sum, "InBytes", transport.receivedBytes + transport.receivedDatagrams * transport.cipherBytes);
  add(sum, "OutBytes", transport.sentBytes + transport.sentDatagrams * transport.cipherBytes);
  add(sum, "RetransSegs", stats.retransSegs);
  add(sum, "FastRetransSegs", stats.fastRetransSegs);
  add(sum, "EarlyRetransSegs", stats.earlyRetransSegs);
  add(sum, "LostSegs", stats.lostSegs);
  add(sum, "RepeatSegs", stats.repeatSegs);
  add(sum, "FECParityShards", decoder.stats.parityShards);
  add(sum, "FECErrs", decoder.stats.errors);
  add(sum, "FECRecovered", decoder.stats.recovered);
}

function add(sum: Record<string, number>, column: string, n: number): void {
  sum[column] = (sum[column] ?? 0) + n;
}
