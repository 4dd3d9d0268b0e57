/**
 * kcptun's --mode table (reference kcptun.md section 5): how eagerly KCP resends and how often it flushes.
 * `manual` takes the four numbers from --nodelay, --interval, --resend and --nc.
 */
export interface KcpTuning {
  readonly nodelay: 0 | 1;
  readonly interval: number;
  readonly resend: number;
  readonly nc: 0 | 1;
}

export const modes = {
  normal: { nodelay: 0, interval: 40, resend: 2, nc: 1 },
  fast: { nodelay: 0, interval: 30, resend: 2, nc: 1 },
  fast2: { nodelay: 1, interval: 20, resend: 2, nc: 1 },
  fast3: { nodelay: 1, interval: 10, resend: 2, nc: 1 },
} as const satisfies Readonly<Record<string, KcpTuning>>;

/** What KCP still does by itself under a rate controller: its timer, for probes and what was forgotten. */
const AUTO: KcpTuning = { nodelay: 1, interval: 10, resend: 0, nc: 1 };

export const modeNames = ["auto", "normal", "fast", "fast2", "fast3", "manual"] as const;
export type ModeName = (typeof modeNames)[number];

export function tuningOf(options: KcpTuning & { readonly mode: ModeName }): KcpTuning {
  if (options.mode === "auto") return AUTO;
  return options.mode === "manual" ? options : modes[options.mode];
}
