/**
 * Loaded before a program (NODE_OPTIONS=--import): from then on the kernel refuses bpf(2) to the whole process, as it does below the seccomp filters of container
 * runtimes and of services. Source: seccomp(2), seccomp_filter.rst. Needs CAP_SYS_ADMIN or no_new_privs.
 */
import { BPF_SYSCALL } from "../../src/host/bpf/bpf-abi.ts";
import { EPERM } from "../../src/host/errno.ts";
import type { Instruction } from "../../src/host/packet-filter.ts";
import { filterBlock } from "../../src/host/socket-filter.ts";
import { hostError, loadSys } from "../../src/host/sys.ts";

const SECCOMP: Readonly<Record<string, number>> = { x64: 317, arm64: 277 };
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1;
const SECCOMP_RET_ERRNO = 0x0005_0000;
const SECCOMP_RET_ALLOW = 0x7fff_0000;

/** Of struct seccomp_data the first word: the call's number. */
const program: readonly Instruction[] = [
  { code: 0x20, whenTrue: 0, whenFalse: 0, k: 0 },
  { code: 0x15, whenTrue: 0, whenFalse: 1, k: BPF_SYSCALL[process.arch]! },
  { code: 0x06, whenTrue: 0, whenFalse: 0, k: SECCOMP_RET_ERRNO | EPERM },
  { code: 0x06, whenTrue: 0, whenFalse: 0, k: SECCOMP_RET_ALLOW },
];

const sys = loadSys();
const filter = filterBlock(sys, program);
if (sys.syscall(SECCOMP[process.arch]!, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, filter.block.address) !== 0)
  throw hostError(sys, "seccomp");
