/** What an RTMP connection tells whoever runs it. */
import type { ProtocolError } from "../../base/errors.ts";
import type { Message } from "./message.ts";

/** Of the server's side. */
export type RtmpEvent =
  /** Answer with `accept` or `refuse`. `key` is what came, with a query string if there was one. */
  | { readonly kind: "publish"; readonly app: string; readonly key: string; readonly tcUrl: string }
  /** Audio, video or data (types of flv/tag.ts); the payload belongs to the taker. */
  | { readonly kind: "media"; readonly message: Message }
  /** The stream ended in order. The connection may publish again. */
  | { readonly kind: "unpublish" }
  /** The connection is of no use any more: drain `transmit`, close. Nothing follows. */
  | { readonly kind: "failed"; readonly error: ProtocolError };

/** Of the publisher's side. */
export type PublisherEvent =
  | { readonly kind: "accepted" }
  /** `code` and `description` are the server's. */
  | { readonly kind: "refused"; readonly code: string; readonly description: string }
  | { readonly kind: "failed"; readonly error: ProtocolError };
