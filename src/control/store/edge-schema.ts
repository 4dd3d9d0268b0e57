/** Tables of edges, as schema.ts says of all: who may join, who has joined, and what they tell. */

export interface EdgeSchema {
  edge_authority: EdgeAuthorityRow;
  edge_tokens: EdgeTokenRow;
  edges: EdgeRow;
}

export interface EdgeAuthorityRow {
  /** 1: there is one. */
  id: number;
  certificate: string;
  key_sealed: string;
}

export interface EdgeTokenRow {
  /** SHA-256 of the secret: enough to know it again, not to use it. */
  hash: string;
  label: string;
  created_at: number;
  expires_at: number;
  used_at: number | null;
}

export interface EdgeRow {
  id: string;
  name: string;
  label: string;
  joined_at: number;
  /** When a control process last heard of it. */
  seen_at: number;
  release: string;
  /** What it serves; −1: it has acknowledged nothing yet. */
  revision: number;
  /** Why it does not serve a later one, "" if there is no reason. */
  refused: string;
  problems: number;
  /** JSON: its last report, without health. */
  report: string;
  /** JSON: states of endpoints by "group endpoint". */
  health: string;
}
