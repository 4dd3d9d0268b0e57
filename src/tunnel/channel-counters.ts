/** What a tunnel end counts of forwards, targets and flows, over all of its sessions; limits are counted by how often they were hit. */
export class ChannelCounters {
  /** Streams and flows that the peer wanted for a target or a listener that is not on our list. */
  refusedTargets = 0;
  /** Ours that the peer refused. */
  refusedByPeer = 0;
  /** Ours that could not be had because the peer is a kcptun. */
  refusedPlain = 0;
  /** Connections to a reverse listener for which the client's session had no stream left. */
  reverseRefused = 0;
  /** Targets whose name was not found. */
  unresolved = 0;
  /** Streams that began without their description, which did not come in time. */
  undescribed = 0;

  /** Flows begun for applications, and for the peer's. */
  flowsOpened = 0;
  flowsAccepted = 0;
  /** Ended because nothing came for `flowidle`. */
  flowsExpired = 0;
  /** Limit hit, option flows: flows that gave way because they had idled for a while, and flows not begun because none had. */
  flowsEvicted = 0;
  flowsRefused = 0;
  /** Of applications and targets, and to them. */
  datagramsIn = 0;
  datagramsOut = 0;
  /** Cut into pieces because they are longer than a packet. */
  datagramsCut = 0;
  /** Thrown away: the flow is refused, or its target's name is being looked for and too many wait already. */
  datagramsRefused = 0;
  /** Thrown away: the user sends faster than allowed. */
  datagramsLimited = 0;
  /** Thrown away: too long to be cut into pieces. */
  datagramsTooLong = 0;
  /** Thrown away: from another address than the target's. */
  datagramsForeign = 0;
  /** Thrown away: the socket's buffer was full. */
  datagramsBlocked = 0;

  /** Encoders' connections (--forward rtmp:…), and notices to them that the link is too slow. */
  rtmpConnections = 0;
  rtmpNotices = 0;
  /** Frames left out because they would have come too late; groups of pictures that lost their tail so. */
  rtmpVideoDropped = 0;
  rtmpAudioDropped = 0;
  rtmpTailsDropped = 0;
  rtmpBytesDropped = 0;
  /** Limit hit: bytes that wait. */
  rtmpQueueFull = 0;
}
