/**
 * Headers of recvmmsg and sendmmsg: an array of struct mmsghdr, each pointing at a name, at scattered bytes and at control messages.
 *
 *   mmsghdr, 64 bytes                                              iovec, 16 bytes
 *   ┌ 0 name* ┬ 8 namelen ┬ 16 iov* ┬ 24 iovlen ┐                  ┌ 0 base* ┬ 8 length ┐
 *   ├ 32 control* ┬ 40 controllen ┬ 48 flags ┬ 56 len ┤            └─────────┴──────────┘
 *   └ msghdr ─────────────────────────────────┴ bytes received or sent
 *
 *   control: cmsghdr { 0 len u64 · 8 level i32 · 12 type i32 } data, padded to 8 bytes
 *
 * Source: recvmmsg(2), sendmmsg(2), cmsg(3), udp(7) for UDP_SEGMENT and UDP_GRO. Offsets below are in 32-bit words.
 */

export const MMSGHDR_WORDS = 16;
export const NAME = 0;
export const NAME_LENGTH = 2;
export const IOV = 4;
export const IOV_LENGTH = 6;
export const CONTROL = 8;
export const CONTROL_LENGTH = 10;
export const FLAGS = 12;
export const MESSAGE_LENGTH = 14;

export const IOVEC_WORDS = 4;
export const IOVEC_LENGTH = 2;

export const CMSG_LENGTH = 0;
export const CMSG_LEVEL = 2;
export const CMSG_TYPE = 3;
export const CMSG_DATA = 4;
export const CMSG_HEADER_BYTES = 16;

/** Words from one control message to the next: its length rounded up to 8 bytes. */
export function cmsgSpaceWords(lengthBytes: number): number {
  return ((lengthBytes + 7) >> 3) << 1;
}
