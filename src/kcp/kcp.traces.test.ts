import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { readVector, vectorsMissing } from "../../test/vectors/read.ts";
import { Kcp } from "./kcp.ts";
import { CMD, FRG, HEADER_BYTES, LEN, SN, TS, UNA, WND } from "./segment.ts";

interface Segment {
  readonly cmd: number;
  readonly frg: number;
  readonly len: number;
  readonly sn: number;
  readonly ts: number;
  readonly una: number;
  readonly wnd: number;
}
interface Packet {
  readonly from: number;
  readonly i: number;
  readonly segs: readonly Segment[];
  readonly size: number;
  readonly t: number;
  readonly dropped?: true;
}
interface Trace {
  readonly name: string;
  readonly bytes: number;
  readonly drop: string;
  readonly final_state_A: Readonly<Record<string, number>>;
  readonly finish_t: number;
  readonly interval: number;
  readonly kcp_mtu: number;
  readonly nc: 0 | 1;
  readonly nodelay: 0 | 1;
  readonly one_way_ms: number;
  readonly rcvwnd: number;
  readonly resend: number;
  readonly sndwnd: number;
  readonly packets: readonly Packet[];
}

/** The payload of every vector: SHA-256 of numbered strings, one after another. */
function vectorBytes(n: number): Uint8Array {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < n; i++) blocks.push(createHash("sha256").update(`kcptun-vector-${i}`).digest());
  return Buffer.concat(blocks).subarray(0, n);
}

function dropRule(rule: string): (from: number, i: number) => boolean {
  const listed = /^A->B datagrams ([\d,]+)$/.exec(rule);
  if (listed !== null) {
    const numbers = new Set(listed[1]!.split(",").map(Number));
    return (from, i) => from === 0 && numbers.has(i);
  }
  if (rule === "B->A every datagram with i%3==1") return (from, i) => from === 1 && i % 3 === 1;
  assert.equal(rule, "none");
  return () => false;
}

function segmentsOf(view: DataView, length: number): Segment[] {
  const segments: Segment[] = [];
  for (let at = 0; at < length; at += HEADER_BYTES + view.getUint32(at + LEN, true)) {
    segments.push({
      cmd: view.getUint8(at + CMD),
      frg: view.getUint8(at + FRG),
      len: view.getUint32(at + LEN, true),
      sn: view.getUint32(at + SN, true),
      ts: view.getUint32(at + TS, true),
      una: view.getUint32(at + UNA, true),
      wnd: view.getUint16(at + WND, true),
    });
  }
  return segments;
}

/** The recorder's loop: every millisecond write, deliver, read, flush what is due. */
function replay(trace: Trace): { packets: Packet[]; received: Uint8Array; now: number; a: Kcp } {
  const { kcp_mtu: mtu, sndwnd: sndWnd, rcvwnd: rcvWnd, nodelay, interval, resend, nc, one_way_ms: oneWay } = trace;
  const ends = [0, 1].map(() => new Kcp({ conv: 7, mtu, sndWnd, rcvWnd, nodelay, interval, resend, nc, profile: "2026" })) as [Kcp, Kcp];
  const drops = dropRule(trace.drop);
  const payload = vectorBytes(trace.bytes);
  const received = new Uint8Array(trace.bytes);
  const packets: Packet[] = [];
  const wire: { due: number; to: number; bytes: Uint8Array }[] = [];
  const bytes = new Uint8Array(mtu);
  const view = new DataView(bytes.buffer);
  const counts = [0, 0];
  let now = 1000;
  const drain = (from: 0 | 1): void => {
    for (;;) {
      const size = ends[from].transmit(now, bytes, view, 0);
      if (size === 0) return;
      const i = counts[from]!++;
      const packet = { from, i, segs: segmentsOf(view, size), size, t: now };
      const dropped = drops(from, i);
      packets.push(dropped ? { ...packet, dropped } : packet);
      if (!dropped) wire.push({ due: now + oneWay, to: 1 - from, bytes: bytes.slice(0, size) });
    }
  };
  let sent = 0;
  let got = 0;
  for (; got < trace.bytes && now < 60_000; now++) {
    if (sent < trace.bytes && ends[0].waitSnd < sndWnd) {
      sent += ends[0].send(now, payload, sent, Math.min(sent + 200, trace.bytes));
      drain(0);
    }
    for (const to of [0, 1] as const) {
      for (const datagram of wire.filter((d) => d.to === to && d.due <= now)) {
        wire.splice(wire.indexOf(datagram), 1);
        assert.equal(ends[to].receive(now, datagram.bytes, new DataView(datagram.bytes.buffer), 0, datagram.bytes.length, true), true);
        drain(to);
      }
    }
    got += ends[1].read(now, received, got, received.length);
    for (const end of [0, 1] as const) {
      ends[end].advance(now);
      drain(end);
    }
  }
  assert.deepEqual(received, new Uint8Array(payload));
  return { packets, received, now, a: ends[0] };
}

const traces = vectorsMissing === false ? readVector<{ traces: Trace[] }>("kcptun/kat/kcp_traces.json").traces : [];

test("all four traces of kcp-go are here", { skip: vectorsMissing }, () => assert.equal(traces.length, 4));

for (const trace of traces) {
  test(`trace ${trace.name}: every packet, its time and the final state`, () => {
    const { packets, now, a } = replay(trace);
    for (const [i, packet] of trace.packets.entries()) assert.deepEqual(packets[i], packet, `packet ${i}`);
    assert.equal(packets.length, trace.packets.length);
    assert.equal(now, trace.finish_t);
    const { stats } = a;
    const state = {
      cwnd: stats.cwnd,
      rcv_nxt: 0,
      rmt_wnd: stats.rmtWnd,
      rto: stats.rto,
      rttvar: stats.rttvar,
      snd_nxt: stats.sndNxt,
      snd_una: stats.sndUna,
      srtt: stats.srtt,
      ssthresh: stats.ssthresh,
    };
    assert.deepEqual(state, trace.final_state_A);
  });
}
