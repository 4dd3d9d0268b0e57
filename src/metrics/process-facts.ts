/** What the process tells of itself beside its tunnel. */
export interface ProcessFacts {
  readonly release: string;
  readonly node: string;
  /** Sockets used: "epoll" or "node". */
  readonly io: string;
  readonly pid: number;
  /** Unix time, s. */
  readonly startedAt: number;
  /** Where it listens and where it connects to, as configured. */
  readonly at: string;
  readonly to: string;
  /** Of the whole process, all threads. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  readonly http: { readonly connectionsDropped: number };
}
