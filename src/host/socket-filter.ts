/** Attaches a classic BPF program (packet-filter.ts) to a socket; any process may do so. Source: socket(7), SO_ATTACH_FILTER. */
import { Block, writePointer } from "./block.ts";
import { SO_ATTACH_FILTER, SOL_SOCKET } from "./linux-abi.ts";
import { type Instruction, NOTHING } from "./packet-filter.ts";
import { hostError, type Sys } from "./sys.ts";

/** Holds for what arrives from now on; also a program for another purpose, which another option takes. @throws HostError */
export function attachFilter(sys: Sys, fd: number, program: readonly Instruction[], level = SOL_SOCKET, option = SO_ATTACH_FILTER): void {
  const described = filterBlock(sys, program);
  if (sys.setsockopt(fd, level, option, described.block.address, 16) < 0) throw hostError(sys, "setsockopt", "a packet filter");
}

/** The program as struct sock_fprog { unsigned short length; struct sock_filter *filter }; both are to be kept until the kernel has it. */
export function filterBlock(sys: Sys, program: readonly Instruction[]): { readonly block: Block; readonly code: Block } {
  const code = new Block(sys, program.length * 8);
  program.forEach(({ code: operation, whenTrue, whenFalse, k }, i) => {
    code.view.setUint16(i * 8, operation, true);
    code.bytes[i * 8 + 2] = whenTrue;
    code.bytes[i * 8 + 3] = whenFalse;
    code.view.setUint32(i * 8 + 4, k, true);
  });
  const block = new Block(sys, 16);
  block.words[0] = program.length;
  writePointer(block.words, 2, code.address);
  return { block, code };
}

/**
 * Nothing that arrives for this TCP socket gets to it, nor past it to the code that answers what belongs to no socket: the kernel sends neither
 * acknowledgement nor RST on its behalf. Raw sockets still see every packet, so a raw connection on this port needs no rule of the firewall.
 */
export function deafen(sys: Sys, fd: number): void {
  attachFilter(sys, fd, NOTHING);
}
