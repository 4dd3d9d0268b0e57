/**
 * Receiver report (RR): how up to 31 sources are heard by one that sends no media itself.
 *
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |V=2|P|    RC   |   PT = 201    |             length            |
 *   |                     SSRC of packet sender                     |
 *   |                   report block × RC (report-block.ts)         |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Source: RFC 3550 section 6.4.2. Profile extensions behind the blocks are passed over.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/units.ts";
import { REPORT_BLOCK_BYTES, type ReportBlock, readReportBlock } from "./report-block.ts";
import type { RtcpCompound } from "./rtcp-compound.ts";
import { COUNT_MAX, putRtcpHeader, RR } from "./rtcp-header.ts";

const FIXED_BYTES: Bytes = 8;

export class ReceiverReport {
  ssrc = 0;
  /** Report blocks read, 0…31. */
  blocks = 0;
  #first = 0;

  /** Takes the current packet of `rtcp`; false when damaged. */
  read(rtcp: RtcpCompound): boolean {
    assert(rtcp.packetType === RR, "not a receiver report");
    if (rtcp.end - rtcp.start < FIXED_BYTES + rtcp.count * REPORT_BLOCK_BYTES) return rtcp.refuse();
    this.ssrc = rtcp.view.getUint32(rtcp.body);
    this.blocks = rtcp.count;
    this.#first = rtcp.start + FIXED_BYTES;
    return true;
  }

  /** Reads block `index`, 0…blocks−1, of the packet just read, before `rtcp` is opened anew. */
  block(rtcp: RtcpCompound, index: number, into: ReportBlock): void {
    readReportBlock(rtcp, this.#first, index, into);
  }

  /** Writes the report with the first `count` of `blocks`, at most 31; answers its length, 0 when it would pass `limit`. */
  write(view: DataView, at: number, limit: number, blocks: readonly ReportBlock[], count: number): Bytes {
    assert(count <= COUNT_MAX && count <= blocks.length, `${count} report blocks`);
    const bytes = FIXED_BYTES + count * REPORT_BLOCK_BYTES;
    if (bytes > limit - at) return 0;
    putRtcpHeader(view, at, count, RR, bytes);
    view.setUint32(at + 4, this.ssrc);
    for (let i = 0; i < count; i++) blocks[i]!.write(view, at + FIXED_BYTES + i * REPORT_BLOCK_BYTES);
    return bytes;
  }
}
