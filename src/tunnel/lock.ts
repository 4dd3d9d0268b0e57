/** A key in use: the cipher it makes, whose it is, and QPP's pads of it. A user that gets another key keeps the old lock for the sessions it has. */
import type { PacketCipher } from "../cipher/cipher.ts";
import type { QppPads } from "../qpp/qpp.ts";
import type { User } from "./user.ts";

export interface Lock {
  readonly user: User;
  readonly cipher: PacketCipher;
  readonly pads: QppPads | undefined;
}
