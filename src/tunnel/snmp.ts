/**
 * Counters of the whole process as kcp-go's SNMP block has them, never reset: for `snmplog` and SIGUSR1.
 *
 * Source: reference kcptun.md 9.3; kcp-go's fec.go for what its FEC columns mean: FECFullShards are groups whose data all came, FECShardSet groups
 * that are open now, FECShardMin the newest group's number, FECShortShards (2021) data that came in groups that could not be completed.
 * Deviations: InErrs counts datagrams that belong to no session; the three RingBuffer columns are the segments that wait, the bytes to be
 * read and the segments in flight of all live sessions; FECShardSet is their sum and FECShardMin their highest, where kcp-go shows those of the
 * session heard last; OOBPackets stays 0, because kcptun never sends any.
 */
import type { TunnelTotals } from "./totals.ts";

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

/** Columns of the whole process; one that is not in it is 0. */
export function snmpCounters({ role, counted, now }: TunnelTotals): SnmpCounters {
  const { kcp = {}, fec = {}, wire = {}, endpoint = {}, cipher = {}, sessions = {} } = counted;
  const n = (value: number | undefined): number => value ?? 0;
  return {
    BytesSent: n(kcp.bytesSent),
    BytesReceived: n(kcp.bytesReceived),
    MaxConn: now.sessionsMost,
    [role === "client" ? "ActiveOpens" : "PassiveOpens"]: n(sessions.started),
    CurrEstab: now.sessions,
    InErrs: n(endpoint.strayDatagrams) + n(cipher.shortDatagrams),
    InCsumErrors: n(cipher.checksumErrors),
    KCPInErrors: n(kcp.inErrs),
    InPkts: n(wire.receivedDatagrams),
    OutPkts: n(wire.sentDatagrams),
    InSegs: n(kcp.inSegs),
    OutSegs: n(kcp.outSegs),
    InBytes: n(wire.receivedBytes),
    OutBytes: n(wire.sentBytes),
    RetransSegs: n(kcp.retransSegs),
    FastRetransSegs: n(kcp.fastRetransSegs),
    EarlyRetransSegs: n(kcp.earlyRetransSegs),
    LostSegs: n(kcp.lostSegs),
    RepeatSegs: n(kcp.repeatSegs),
    FECFullShards: n(fec.fullGroups),
    FECParityShards: n(fec.parityShards),
    FECErrs: n(fec.errors),
    FECRecovered: n(fec.recovered),
    FECShortShards: n(fec.short),
    FECShardSet: now.fecOpenGroups,
    FECShardMin: Math.max(0, now.fecNewestGroup),
    RingBufferSndQueue: now.waitingSegments,
    RingBufferRcvQueue: now.readableBytes,
    RingBufferSndBuffer: now.inFlightSegments,
  };
}
