/**
 * Packets that rules of the firewall hand to this process: nftables' "log group N".
 *
 *   config    nfgenmsg(group) · command BIND · mode: copy of so many bytes · queue threshold
 *   packet    nfgenmsg · payload (from the IP header on) · timestamp …
 *
 * Source: linux/netfilter/nfnetlink_log.h.
 */

import { HostError } from "../base/errors.ts";
import { attribute, attributes, errnoNames, NetlinkSocket, NFGEN_BYTES, NLM_F_ACK } from "./netlink.ts";

const SUBSYSTEM = 4;
const PACKET = SUBSYSTEM << 8;
const CONFIG = (SUBSYSTEM << 8) | 1;
const CFG_CMD = 1;
const CFG_MODE = 2;
const CFG_TIMEOUT = 4;
const CFG_QTHRESH = 5;
const COMMAND_BIND = 1;
const MODE_PACKET = 2;
const ATTR_PAYLOAD = 9;
const BUFFER_BYTES = 8 << 20;
/** Tuning: packets the kernel gathers, and for how long (1/100 s). */
const GATHER = 32;
const GATHER_CENTISECONDS = 5;

export class PacketLog {
  readonly #socket: NetlinkSocket;

  /** `each`: the packet is borrowed until the call returns. @throws HostError when the group is taken or the right is missing */
  constructor(group: number, bytesMax: number, each: (packet: Uint8Array) => void) {
    this.#socket = new NetlinkSocket(0, BUFFER_BYTES);
    const config = (write: (view: DataView, at: number) => number): void => this.#socket.add(CONFIG, NLM_F_ACK, 0, group, write);
    config((view, at) =>
      attribute(view, at, CFG_CMD, (value) => {
        view.setUint8(value, COMMAND_BIND);
        return value + 1;
      }),
    );
    config((view, at) => {
      const mode = attribute(view, at, CFG_MODE, (value) => {
        view.setUint32(value, bytesMax);
        view.setUint8(value + 4, MODE_PACKET);
        view.setUint8(value + 5, 0);
        return value + 6;
      });
      const timeout = attribute(view, mode, CFG_TIMEOUT, (value) => {
        view.setUint32(value, GATHER_CENTISECONDS);
        return value + 4;
      });
      return attribute(view, timeout, CFG_QTHRESH, (value) => {
        view.setUint32(value, GATHER);
        return value + 4;
      });
    });
    const errors = this.#socket.ask(2, () => {});
    if (errors.length > 0) {
      this.#socket.close();
      throw new HostError(errnoNames(errors), "nflog", `group ${group}`);
    }
    this.#socket.listen(({ type, view, at, end }) => {
      if (type !== PACKET) return;
      attributes(view, at + NFGEN_BYTES, end, (attributeType, from, to) => {
        if (attributeType === ATTR_PAYLOAD) each(new Uint8Array(view.buffer, view.byteOffset + from, to - from));
      });
    });
  }

  /** Times that packets were lost because this process was too slow. */
  get overruns(): number {
    return this.#socket.overruns;
  }

  close(): void {
    this.#socket.close();
  }
}
