/** The report blocks at the end of a sender or receiver report, behind what is fixed: RFC 3550 sections 6.4.1 and 6.4.2. */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/units.ts";
import { REPORT_BLOCK_BYTES, type ReportBlock } from "./report-block.ts";
import type { RtcpCompound } from "./rtcp-compound.ts";
import { COUNT_MAX, putRtcpHeader } from "./rtcp-header.ts";

/** Where the blocks of the report that was read last are. */
export class ReportBlocks {
  /** 0…31. */
  length = 0;
  #first = 0;

  /** Takes the current packet of `rtcp`, whose blocks begin after `fixedBytes`; false when damaged. */
  find(rtcp: RtcpCompound, fixedBytes: Bytes): boolean {
    if (rtcp.end - rtcp.start < fixedBytes + rtcp.count * REPORT_BLOCK_BYTES) return rtcp.refuse();
    this.length = rtcp.count;
    this.#first = rtcp.start + fixedBytes;
    return true;
  }

  /** Reads block `index`, 0…length−1, before `rtcp` is opened anew. */
  read(rtcp: RtcpCompound, index: number, into: ReportBlock): void {
    assert(index >= 0 && index < this.length, `report block ${index} of ${this.length}`);
    into.read(rtcp.view, this.#first + index * REPORT_BLOCK_BYTES);
  }
}

/**
 * Writes header and the first `count` of `blocks`, at most 31, of a report of `type` and leaves its `fixedBytes` to the caller; answers the length
 * of all, 0 when it would pass `limit`.
 */
export function writeReport(
  view: DataView,
  at: number,
  limit: number,
  type: number,
  fixedBytes: Bytes,
  blocks: readonly ReportBlock[],
  count: number,
): Bytes {
  assert(count <= COUNT_MAX && count <= blocks.length, `${count} report blocks`);
  const bytes = fixedBytes + count * REPORT_BLOCK_BYTES;
  if (bytes > limit - at) return 0;
  putRtcpHeader(view, at, count, type, bytes);
  for (let i = 0; i < count; i++) blocks[i]!.write(view, at + fixedBytes + i * REPORT_BLOCK_BYTES);
  return bytes;
}
