/** Tables of the accelerator, as schema.ts says of all: what AWS Global Accelerator's API makes, and what edges are given. */

export interface AcceleratorSchema {
  accelerators: AcceleratorRow;
  accelerator_addresses: AcceleratorAddressRow;
  listeners: ListenerRow;
  endpoint_groups: EndpointGroupRow;
  endpoints: EndpointRow;
  byoip_cidrs: ByoipCidrRow;
  idempotency_tokens: IdempotencyTokenRow;
}

export interface AcceleratorRow {
  /** UUID. */
  id: string;
  /** "standard" or "custom". */
  kind: string;
  name: string;
  ip_address_type: string;
  enabled: number;
  /** 16 hex digits of its DNS name. */
  dns: string;
  flow_logs: number;
  flow_logs_bucket: string;
  flow_logs_prefix: string;
  /** Of the last change to it or to anything in it: edges that have acknowledged this number serve it so. */
  revision: number;
  created_at: number;
  modified_at: number;
}

export interface AcceleratorAddressRow {
  address: string;
  accelerator_id: string;
  /** Order in which they are shown. */
  position: number;
}

export interface ListenerRow {
  /** 8 hex digits, unique in its accelerator. */
  id: string;
  accelerator_id: string;
  /** TCP or UDP; empty for custom routing, where destinations have protocols. */
  protocol: string;
  affinity: string;
  /** [{FromPort, ToPort}] as JSON. */
  port_ranges: string;
  created_at: number;
}

export interface EndpointGroupRow {
  /** 12 hex digits. */
  id: string;
  accelerator_id: string;
  listener_id: string;
  region: string;
  /** Dial, health check, port overrides; or destination configurations: JSON. */
  settings: string;
  created_at: number;
}

export interface EndpointRow {
  group_id: string;
  /** host, host:port; a subnet in custom routing. */
  endpoint_id: string;
  /** Order in which they were added. */
  position: number;
  weight: number;
  client_ip_preservation: number;
  /** Custom routing: listener ports that are its destinations', [[from, to]] as JSON, and which of them are open, a bit each, in base64. */
  ports: string;
  allowed: string;
}

export interface ByoipCidrRow {
  /** The network as text: 198.51.100.0/24. */
  id: string;
  /** READY or ADVERTISING: what it is, or becomes when edges have `revision`. */
  state: string;
  /** [{Message, Timestamp}] as JSON. */
  events: string;
  revision: number;
  created_at: number;
}

export interface IdempotencyTokenRow {
  operation: string;
  token: string;
  /** Of the input without the token. */
  digest: string;
  /** ARN of what was made. */
  resource: string;
  at: number;
}
