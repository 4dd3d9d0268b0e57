/**
 * A program at an interface, as a link: it holds as long as somebody has it, this process or a pin in bpffs, and its program can be replaced between two packets.
 *
 * Native where the driver can, otherwise generic (behind the allocation of the packet's buffer: half as fast), which is said.
 */
import type { HostError } from "../../base/errors.ts";
import { Block } from "../block.ts";
import { EBUSY, EEXIST } from "../errno.ts";
import { type Bpf, cString } from "./bpf.ts";
import * as abi from "./bpf-abi.ts";
import type { BpfProgram } from "./bpf-program.ts";

export type XdpMode = "native" | "generic";

export class XdpLink {
  readonly fd: number;
  readonly mode: XdpMode;
  /** Why not native. */
  readonly because: string | undefined;
  readonly #bpf: Bpf;

  private constructor(bpf: Bpf, fd: number, mode: XdpMode, because: string | undefined) {
    this.#bpf = bpf;
    this.fd = fd;
    this.mode = mode;
    this.because = because;
  }

  /** `mode` undefined: native, else generic. @throws HostError of the last mode tried */
  static attach(bpf: Bpf, program: BpfProgram, ifindex: number, mode?: XdpMode): XdpLink {
    let refusal: HostError | undefined;
    for (const candidate of mode === undefined ? (["native", "generic"] as const) : [mode]) {
      const flags = candidate === "native" ? abi.XDP_FLAGS_DRV_MODE : abi.XDP_FLAGS_SKB_MODE;
      bpf.attr().u32(0, program.fd).u32(4, ifindex).u32(8, abi.BPF_XDP).u32(12, flags);
      const fd = bpf.try(abi.BPF_LINK_CREATE);
      if (fd >= 0) return new XdpLink(bpf, fd, candidate, refusal?.code);
      const errno = bpf.sys.errno();
      refusal = bpf.error(
        `${candidate} XDP at interface ${ifindex}`,
        errno === EBUSY || errno === EEXIST ? ": another program is there" : "",
      );
      if (errno === EBUSY || errno === EEXIST) break;
    }
    throw refusal!;
  }

  /** The link that is pinned there; undefined when there is none. */
  static pinned(bpf: Bpf, path: string, mode: XdpMode): XdpLink | undefined {
    const name = cString(bpf.sys, path);
    bpf.attr().u64(0, name.address);
    const fd = bpf.try(abi.BPF_OBJ_GET);
    return fd < 0 ? undefined : new XdpLink(bpf, fd, mode, undefined);
  }

  /** No packet in between sees no program. @throws HostError: ENOLINK when the interface is gone */
  replace(program: BpfProgram): void {
    this.#bpf.attr().u32(0, this.fd).u32(4, program.fd);
    this.#bpf.call(abi.BPF_LINK_UPDATE, `replacing the program by ${program.name}`);
  }

  /** Of the interface; 0 when that is gone. */
  ifindex(): number {
    // struct bpf_link_info: type u32 · id u32 · prog_id u32 · (8 byte aligned) xdp.ifindex u32
    const info = new Block(this.#bpf.sys, 64);
    this.#bpf.attr().u32(0, this.fd).u32(4, info.bytes.length).u64(8, info.address);
    return this.#bpf.try(abi.BPF_OBJ_GET_INFO_BY_FD, 16) < 0 ? 0 : info.words[4]!;
  }

  /** @throws HostError */
  pin(path: string): void {
    const name = cString(this.#bpf.sys, path);
    this.#bpf.attr().u64(0, name.address).u32(8, this.fd);
    this.#bpf.call(abi.BPF_OBJ_PIN, path);
  }

  /** Without it the program stays if the link is pinned. */
  detach(): void {
    this.#bpf.attr().u32(0, this.fd);
    this.#bpf.try(abi.BPF_LINK_DETACH);
  }

  close(): void {
    this.#bpf.sys.close(this.fd);
  }
}
