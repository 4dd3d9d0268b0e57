/** What happens to streams, in the words of IVS's events (source aws.ivs; reference/aws-live.md 3). */
export type EventType = "IVS Stream State Change" | "IVS Stream Health Change" | "IVS Limit Breach" | "IVS Recording State Change";

export interface StreamEvent {
  /** Unix ms. */
  readonly at: number;
  /** Empty, and the stream's as well: it is of all of them. */
  readonly channelId: string;
  readonly channelName: string;
  readonly streamId: string;
  readonly type: EventType;
  /** "Session Created", "Stream Start", "Starvation Start", … */
  readonly name: string;
  /** Why, in IVS's words: "StreamTakeoverInvalidPriority". */
  readonly code?: string;
  /** Further members of the event's detail. */
  readonly detail?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** It tells of something that went wrong. */
  readonly error?: boolean;
}

export type EventSink = (event: StreamEvent) => void;
