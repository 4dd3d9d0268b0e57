/**
 * Sender report (SR): what was sent until now, and which RTP timestamp belongs to which time of day.
 *
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |V=2|P|    RC   |   PT = 200    |             length            |
 *   |                         SSRC of sender                        |
 *   |                     NTP timestamp, seconds                    |
 *   |                     NTP timestamp, fraction                   |
 *   |                         RTP timestamp                         |
 *   |                     sender's packet count                     |
 *   |                      sender's octet count                     |
 *   |                   report block × RC (report-block.ts)         |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Source: RFC 3550 section 6.4.1. Profile extensions behind the blocks are passed over.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/units.ts";
import { compactNtp } from "./ntp-time.ts";
import type { ReportBlock } from "./report-block.ts";
import { ReportBlocks, writeReport } from "./report-blocks.ts";
import type { RtcpCompound } from "./rtcp-compound.ts";
import { SR } from "./rtcp-header.ts";

const FIXED_BYTES: Bytes = 28;

export class SenderReport {
  ssrc = 0;
  ntpSeconds = 0;
  ntpFraction = 0;
  rtpTimestamp = 0;
  packetCount = 0;
  /** Payload bytes, without headers and padding. */
  octetCount = 0;
  /** Report blocks read, 0…31. */
  blocks = 0;
  readonly #blocks = new ReportBlocks();

  /** What receivers give back as LSR. */
  get compact(): number {
    return compactNtp(this.ntpSeconds, this.ntpFraction);
  }

  /** Takes the current packet of `rtcp`; false when damaged. */
  read(rtcp: RtcpCompound): boolean {
    assert(rtcp.packetType === SR, "not a sender report");
    const { view, body } = rtcp;
    if (!this.#blocks.find(rtcp, FIXED_BYTES)) return false;
    this.blocks = this.#blocks.length;
    this.ssrc = view.getUint32(body);
    this.ntpSeconds = view.getUint32(body + 4);
    this.ntpFraction = view.getUint32(body + 8);
    this.rtpTimestamp = view.getUint32(body + 12);
    this.packetCount = view.getUint32(body + 16);
    this.octetCount = view.getUint32(body + 20);
    return true;
  }

  /** Reads block `index`, 0…blocks−1, of the packet just read, before `rtcp` is opened anew. */
  block(rtcp: RtcpCompound, index: number, into: ReportBlock): void {
    this.#blocks.read(rtcp, index, into);
  }

  /** Writes the report with the first `count` of `blocks`, at most 31; answers its length, 0 when it would pass `limit`. */
  write(view: DataView, at: number, limit: number, blocks: readonly ReportBlock[], count: number): Bytes {
    const bytes = writeReport(view, at, limit, SR, FIXED_BYTES, blocks, count);
    if (bytes === 0) return 0;
    view.setUint32(at + 4, this.ssrc);
    view.setUint32(at + 8, this.ntpSeconds);
    view.setUint32(at + 12, this.ntpFraction);
    view.setUint32(at + 16, this.rtpTimestamp);
    view.setUint32(at + 20, this.packetCount);
    view.setUint32(at + 24, this.octetCount);
    return bytes;
  }
}
