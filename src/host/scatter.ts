/** Reading and writing in pieces for stream sockets that know only whole ranges: piece by piece, as far as it goes. */
import type { Pieces } from "../base/pieces.ts";
import type { TcpSocket } from "./loop.ts";

/** What `TcpSocket.readv` answers. */
export function readEach(socket: Pick<TcpSocket, "read">, pieces: Pieces): number {
  let total = 0;
  for (let i = 0; i < pieces.length; i++) {
    const asked = pieces.end[i]! - pieces.start[i]!;
    const n = socket.read(pieces.bytes, pieces.start[i]!, pieces.end[i]!);
    if (n > 0) total += n;
    if (n < asked) return total > 0 ? total : n;
  }
  return total;
}

/** What `TcpSocket.writev` answers. */
export function writeEach(socket: Pick<TcpSocket, "write">, pieces: Pieces): number {
  let total = 0;
  for (let i = 0; i < pieces.length; i++) {
    const n = socket.write(pieces.bytes, pieces.start[i]!, pieces.end[i]!);
    total += n;
    if (n < pieces.end[i]! - pieces.start[i]!) return total;
  }
  return total;
}
