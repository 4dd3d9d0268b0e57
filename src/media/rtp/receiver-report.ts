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
import type { ReportBlock } from "./report-block.ts";
import { ReportBlocks, writeReport } from "./report-blocks.ts";
import type { RtcpCompound } from "./rtcp-compound.ts";
import { RR } from "./rtcp-header.ts";

const FIXED_BYTES: Bytes = 8;

export class ReceiverReport {
  ssrc = 0;
  /** Report blocks read, 0…31. */
  blocks = 0;
  readonly #blocks = new ReportBlocks();

  /** Takes the current packet of `rtcp`; false when damaged. */
  read(rtcp: RtcpCompound): boolean {
    assert(rtcp.packetType === RR, "not a receiver report");
    if (!this.#blocks.find(rtcp, FIXED_BYTES)) return false;
    this.blocks = this.#blocks.length;
    this.ssrc = rtcp.view.getUint32(rtcp.body);
    return true;
  }

  /** Reads block `index`, 0…blocks−1, of the packet just read, before `rtcp` is opened anew. */
  block(rtcp: RtcpCompound, index: number, into: ReportBlock): void {
    this.#blocks.read(rtcp, index, into);
  }

  /** Writes the report with the first `count` of `blocks`, at most 31; answers its length, 0 when it would pass `limit`. */
  write(view: DataView, at: number, limit: number, blocks: readonly ReportBlock[], count: number): Bytes {
    const bytes = writeReport(view, at, limit, RR, FIXED_BYTES, blocks, count);
    if (bytes === 0) return 0;
    view.setUint32(at + 4, this.ssrc);
    return bytes;
  }
}
