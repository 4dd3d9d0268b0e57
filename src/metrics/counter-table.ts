/**
 * Which counter of which module becomes which metric. A counter is written "module.counter", as `TunnelTotals.counted` has it.
 *
 * What no row names is exported as longhaul_events_total{module,event}: a new counter in a core is seen without a change here.
 */
export interface CounterRow {
  /** Without "longhaul_" and "_total". */
  readonly name: string;
  readonly help: string;
  readonly unit?: "bytes";
  /** One counter, or one for each value of a label. */
  readonly from: string | { readonly label: string; readonly values: Readonly<Record<string, string>> };
}

export const counterTable: readonly CounterRow[] = [
  { name: "sessions_started", help: "Sessions begun.", from: "sessions.started" },
  { name: "sessions_ended", help: "Sessions ended.", from: "sessions.ended" },
  {
    name: "streams_opened",
    help: "Connections carried, by the end that opened them.",
    from: by("by", { us: "smux.opened", peer: "smux.accepted" }),
  },
  { name: "streams_closed", help: "Connections ended.", from: "smux.closed" },
  {
    name: "payload_bytes",
    help: "Bytes of the applications.",
    unit: "bytes",
    from: by("direction", { sent: "smux.bytesOut", received: "smux.bytesIn" }),
  },
  {
    name: "stream_bytes",
    help: "Bytes given to and taken from KCP: payload with smux headers, compressed.",
    unit: "bytes",
    from: by("direction", { sent: "kcp.bytesSent", received: "kcp.bytesReceived" }),
  },
  {
    name: "wire_bytes",
    help: "Bytes of the sessions' datagrams, cipher included, UDP and IP headers not.",
    unit: "bytes",
    from: by("direction", { sent: "wire.sentBytes", received: "wire.receivedBytes" }),
  },
  {
    name: "wire_datagrams",
    help: "Datagrams of the sessions.",
    from: by("direction", { sent: "wire.sentDatagrams", received: "wire.receivedDatagrams" }),
  },
  {
    name: "copied_bytes",
    help: "Of what was sent: copies over a second way (option copies).",
    unit: "bytes",
    from: "copies.bytes",
  },
  { name: "copied_datagrams", help: "Of what was sent: copies over a second way (option copies).", from: "copies.datagrams" },
  {
    name: "socket_bytes",
    help: "Bytes of all datagrams, those of strangers included.",
    unit: "bytes",
    from: by("direction", { sent: "udp.sentBytes", received: "udp.receivedBytes" }),
  },
  {
    name: "socket_datagrams",
    help: "All datagrams, those of strangers included.",
    from: by("direction", { sent: "udp.sentDatagrams", received: "udp.receivedDatagrams" }),
  },
  {
    name: "socket_calls",
    help: "System calls that carried datagrams; fewer than datagrams where the kernel batches.",
    from: by("direction", { sent: "udp.sendCalls", received: "udp.receiveCalls" }),
  },
  { name: "socket_send_errors", help: "Datagrams the kernel refused for another reason than a full buffer.", from: "udp.sendErrors" },
  { name: "segments", help: "KCP segments of every command.", from: by("direction", { sent: "kcp.outSegs", received: "kcp.inSegs" }) },
  {
    name: "retransmitted_segments",
    help: "KCP segments sent again, by why: overtaken (fast), overtaken with nothing new to send (early), time up (timeout).",
    from: by("kind", { fast: "kcp.fastRetransSegs", early: "kcp.earlyRetransSegs", timeout: "kcp.lostSegs" }),
  },
  { name: "repeated_segments", help: "KCP segments that came a second time: resent by the peer without need.", from: "kcp.repeatSegs" },
  {
    name: "peer_overflows",
    help: "Times that bursts of a peer without a rate of its own ran over a queue; what it may send at once is limited then.",
    from: "kcp.peerOverflows",
  },
  { name: "acknowledged_bytes", help: "Bytes the peer has acknowledged.", unit: "bytes", from: "kcp.ackedBytes" },
  {
    name: "fec_sent_shards",
    help: "FEC shards sent.",
    from: by("kind", { data: "parity.dataShards", parity: "parity.parityShards" }),
  },
  { name: "fec_sparse_groups", help: "FEC groups sent without parity because their data was too far apart.", from: "parity.sparseGroups" },
  { name: "fec_received_shards", help: "FEC shards received.", from: by("kind", { data: "fec.dataShards", parity: "fec.parityShards" }) },
  { name: "fec_recovered_shards", help: "Lost data shards rebuilt from parity.", from: "fec.recovered" },
  { name: "fec_lost_shards", help: "Data shards lost in groups that could not be rebuilt; KCP resends them.", from: "fec.lost" },
  { name: "fec_short_shards", help: "Data shards received in groups that could not be rebuilt.", from: "fec.short" },
  {
    name: "fec_groups",
    help: "FEC groups received, by outcome: all data came (full), the rest was rebuilt (repaired), too little came (lost).",
    from: by("outcome", { full: "fec.fullGroups", repaired: "fec.repairedGroups", lost: "fec.lostGroups" }),
  },
  { name: "fec_retunes", help: "Times other group sizes of a peer were found.", from: "fec.retuned" },
  {
    name: "dropped_datagrams",
    help: "Datagrams dropped: damaged, forged, foreign, or of a peer with another key.",
    from: by("reason", {
      checksum: "cipher.checksumErrors",
      short: "cipher.shortDatagrams",
      long: "cipher.longDatagrams",
      stray: "endpoint.strayDatagrams",
      malformed: "kcp.inErrs",
      unaddressable: "udp.receiveDropped",
    }),
  },
  { name: "user_tries", help: "Decryptions to find out whose the datagrams of unknown addresses are.", from: "users.tries" },
  {
    name: "stranger_datagrams",
    help: "Datagrams of unknown addresses tried with the keys of several users, and those that no key opened.",
    from: by("outcome", { tried: "users.strangers", unreadable: "users.unreadable" }),
  },
  {
    name: "dropped_segments",
    help: "KCP segments that were not believed: beyond the window, too long, or acknowledging what was never sent.",
    from: by("reason", { outside_window: "kcp.outsideSegs", oversized: "kcp.oversizedSegs", false_acknowledgement: "kcp.unaErrs" }),
  },
  {
    name: "dropped_fec_shards",
    help: "FEC shards of no use.",
    from: by("reason", {
      damaged: "fec.errors",
      duplicate: "fec.duplicates",
      too_old: "fec.tooOld",
      out_of_range: "fec.outOfRange",
      oversized: "fec.oversize",
    }),
  },
  {
    name: "dropped_frames",
    help: "Frames of smux of no use.",
    from: by("reason", { unknown_stream: "smux.unknownSid", duplicate_open: "smux.duplicateSyn" }),
  },
  { name: "streams_stalled", help: "Streams whose application took nothing of what had come for it.", from: "smux.streamsStalled" },
  { name: "windows_shrunk", help: "Windows told smaller because a stream took nothing.", from: "smux.windowsShrunk" },
  {
    name: "discarded_bytes",
    help: "Payload thrown away: its stream was gone or its session had failed.",
    unit: "bytes",
    from: by("reason", { stream_gone: "smux.discardedBytes", session_failed: "smux.bytesAfterFailure" }),
  },
  {
    name: "refused_streams",
    help: "Streams and flows with a destination that were refused: by us, by the peer, or because the peer is a kcptun.",
    from: by("reason", {
      target: "channels.refusedTargets",
      peer: "channels.refusedByPeer",
      plain_peer: "channels.refusedPlain",
      unresolved: "channels.unresolved",
      undescribed: "channels.undescribed",
    }),
  },
  {
    name: "udp_flows",
    help: "UDP flows carried, by what became of them: begun for applications (opened) or for the peer (accepted), and idle too long (expired).",
    from: by("event", { opened: "channels.flowsOpened", accepted: "channels.flowsAccepted", expired: "channels.flowsExpired" }),
  },
  {
    name: "udp_flow_datagrams",
    help: "Datagrams of UDP flows, from (received) and to (sent) applications and targets.",
    from: by("direction", { received: "channels.datagramsIn", sent: "channels.datagramsOut" }),
  },
  { name: "udp_flow_cut_datagrams", help: "Datagrams of UDP flows cut into pieces for the tunnel.", from: "channels.datagramsCut" },
  {
    name: "dropped_udp_flow_datagrams",
    help: "Datagrams of UDP flows thrown away.",
    from: by("reason", {
      refused: "channels.datagramsRefused",
      rate: "channels.datagramsLimited",
      too_long: "channels.datagramsTooLong",
      foreign: "channels.datagramsForeign",
      socket_buffer: "channels.datagramsBlocked",
    }),
  },
  { name: "rtmp_connections", help: "Connections of encoders at rtmp: forwards.", from: "channels.rtmpConnections" },
  { name: "rtmp_notices", help: "Notices to encoders that the link is too slow for them.", from: "channels.rtmpNotices" },
  {
    name: "rtmp_dropped_frames",
    help: "Frames of encoders left out because they would have come too late.",
    from: by("kind", { video: "channels.rtmpVideoDropped", audio: "channels.rtmpAudioDropped" }),
  },
  { name: "rtmp_dropped_bytes", help: "Bytes of them.", unit: "bytes", from: "channels.rtmpBytesDropped" },
  { name: "rtmp_cut_groups", help: "Groups of pictures whose tail was left out.", from: "channels.rtmpTailsDropped" },
  {
    name: "limit_hits",
    help: "Times a limit was hit, by limit.",
    from: by("limit", {
      sessions: "sessions.refused",
      retired_sessions: "sessions.retiredCut",
      streams: "sessions.streamsRefused",
      streams_of_session: "smux.openRefused",
      streams_of_peer: "smux.synRefused",
      refusals: "smux.refusalsDropped",
      receive_buffer: "smux.receivePauses",
      stalled_streams: "smux.streamsEvicted",
      send_window: "kcp.sendRefused",
      acknowledgements: "kcp.ackOverflows",
      fec_store: "fec.storeFull",
      kernel_memory: "kernel.regionsRefused",
      addresses: "addresses.full",
      socket_buffer: "endpoint.sendBlocked",
      rate: "wire.rateLimitWaits",
      sessions_of_user: "users.sessionsRefused",
      streams_of_user: "users.streamsRefused",
      rate_of_user: "users.rateWaits",
      quota_of_user: "users.quotaExceeded",
      tries: "users.triesRefused",
      flows: "channels.flowsRefused",
      idle_flows: "channels.flowsEvicted",
      flow_queue: "extension.outboxDropped",
      flow_parts: "reassembly.evicted",
      reverse_streams: "channels.reverseRefused",
      rtmp_queue: "channels.rtmpQueueFull",
    }),
  },
];

/** Counters that are sums or copies of others in the table. */
export const derivedCounters: readonly string[] = [
  ...["kcp.retransSegs", "kcp.inPkts", "kcp.outPkts", "kcp.inBytes", "kcp.outBytes"],
  ...["cipher.sealed", "cipher.opened"],
];

function by(label: string, values: Readonly<Record<string, string>>): { label: string; values: Readonly<Record<string, string>> } {
  return { label, values };
}
