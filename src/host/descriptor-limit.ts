/** How many descriptors this process may have: RLIMIT_NOFILE (getrlimit(2)), raised as far as the kernel lets us. */
import { Block } from "./block.ts";
import { loadSys } from "./sys.ts";
import { readSysctl } from "./sysctl.ts";

const RLIMIT_NOFILE = 7;
const TWO_TO_32 = 2 ** 32;

/**
 * Raises the limit to `wanted` if it is below, the hard one too where the process may (CAP_SYS_RESOURCE). Answers what holds afterwards; a limit is never
 * lowered. @throws Error where foreign calls are not possible
 */
export function raiseDescriptors(wanted: number): number {
  const sys = loadSys();
  const limit = new Block(sys, 16);
  const read = (): { soft: number; hard: number } => {
    sys.getrlimit(RLIMIT_NOFILE, limit.address);
    return { soft: numberAt(limit, 0), hard: numberAt(limit, 2) };
  };
  const write = (soft: number, hard: number): void => {
    [soft, hard].forEach((value, i) => {
      limit.words[2 * i] = value | 0;
      limit.words[2 * i + 1] = Math.floor(value / TWO_TO_32);
    });
    // Refused: the second try below, or what was before, holds.
    sys.setrlimit(RLIMIT_NOFILE, limit.address);
  };
  const before = read();
  if (before.soft >= wanted) return before.soft;
  // The kernel has no more than this for anybody.
  const most = Number(readSysctl("fs.nr_open") ?? before.hard);
  if (before.hard < wanted) write(Math.min(wanted, most), Math.min(wanted, most));
  const { soft, hard } = read();
  if (soft < Math.min(wanted, hard)) write(Math.min(wanted, hard), hard);
  return read().soft;
}

/** Two words; "unlimited" is all ones, more than anybody wants. */
function numberAt({ words }: Block, at: number): number {
  return (words[at]! >>> 0) + (words[at + 1]! >>> 0) * TWO_TO_32;
}
