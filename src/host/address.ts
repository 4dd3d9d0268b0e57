/** Placeholder replaced by the host room's owner within this session. */
export interface AddressTable {
  /** "203.0.113.7:4711" or "[2001:db8::1]:4711". */
  format(id: number): string;
}
