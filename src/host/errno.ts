/** Names of the operating system's error numbers: 11 → "EAGAIN". */
import { constants } from "node:os";

/** Where one number has two names, the first one of the alphabet: EAGAIN and not EWOULDBLOCK. */
const names = new Map(
  Object.entries(constants.errno)
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .map(([name, number]) => [number as number, name]),
);

export const {
  E2BIG,
  EADDRINUSE,
  EAGAIN,
  EBUSY,
  EEXIST,
  ECONNABORTED,
  ECONNREFUSED,
  EHOSTUNREACH,
  EINPROGRESS,
  EINTR,
  EINVAL,
  EIO,
  EMFILE,
  EMSGSIZE,
  ENETUNREACH,
  ENOBUFS,
  ENOENT,
  ENOMEM,
  ENOSPC,
  ENOSYS,
  EPERM,
} = constants.errno;
/** Not in node:os; the same on x86-64 and arm64 Linux. */
export const ENFILE = 23;
export const EPROTO = constants.errno.EPROTO;

export function errnoName(errno: number): string {
  return names.get(errno) ?? `E${errno}`;
}
