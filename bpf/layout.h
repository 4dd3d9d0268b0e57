/*
 * What the program and Longhaul's process read and write together. Everything is little-endian (as the machine is) but for what is marked "network order"; the same offsets
 * are in src/forward/xdp/layout.ts, and a test compares the two through the program's own maps.
 *
 *   listener (address, port) ─► forward ─► policy ─► choices (Maglev) ─► backend
 *   range    (place, port prefix) ─┘                                      └────► sources (SNAT addresses)
 *
 * A forward's policy is replaced by writing a new one and then one 32-bit number: no packet sees half a change.
 */
#ifndef LONGHAUL_LAYOUT_H
#define LONGHAUL_LAYOUT_H

#include <linux/types.h>

/* An IPv6 address, or an IPv4 one as ::ffff:a.b.c.d; network order. */
struct address {
	__be32 words[4];
};

/* Who listens at exactly one address and port: a place of a table that the process writes, see find_listener. */
struct listener {
	struct address address;
	__be16 port;
	__u16 zero;
	__u32 forward; /* its number + 1; 0: no chain goes on here */
	__u64 zeros;
};

#define LISTENER_GONE 0xffffffff

/* Longest prefix: addresses that belong together for ranges of ports. */
struct place_key {
	__u32 bits;
	struct address address;
};

/* Longest prefix: 32 bits of place, then up to 16 of port. */
struct range_key {
	__u32 bits;
	__u32 place;
	__be16 port;
	__u16 zero;
};

/* Longest prefix: 32 bits of list, then up to 128 of a client's address. */
struct access_key {
	__u32 bits;
	__u32 list;
	struct address address;
};

enum access { ACCESS_ALLOW = 1, ACCESS_DENY = 2 };

enum policy_flag {
	POLICY_TRANSPARENT = 1 << 0, /* the backend sees the client's address */
	POLICY_ACCESS = 1 << 1, /* the forward has allowed or denied prefixes */
	POLICY_DENY = 1 << 2, /* denied unless a prefix allows */
	POLICY_BY_SOURCE = 1 << 3, /* all flows of a client's address to the same backend */
	POLICY_LIMIT = 1 << 4, /* of the forward */
	POLICY_SOURCE_LIMIT = 1 << 5, /* of each client's address */
	POLICY_SINGLE = 1 << 6, /* there is one backend: flows to another one are ended by their next packet */
	POLICY_SIP = 1 << 7, /* the process reads what backends answer */
};

/* A rate and its burst as the generic cell rate algorithm has them: cost in 2^-16 ns a unit, 0 for no limit; burst in ns. */
struct rate {
	__u64 cost;
	__u64 burst;
};

struct policy {
	__u32 flags;
	__u32 choice; /* first of its choices */
	__u32 choices; /* 0: there is nobody to forward to */
	__u16 port_first; /* of SNAT */
	__u16 ports;
	__u32 access; /* its list of prefixes */
	__u32 zero;
	struct rate packets;
	struct rate bytes;
	struct rate source_packets;
	struct rate source_bytes;
};

struct backend {
	struct address address;
	__be16 port; /* 0: the port of the listener */
	__u16 zero;
	__u32 source; /* first of the SNAT addresses towards it */
	__u32 sources;
	__u32 zeros;
};

/* For the process alone, so that it knows its forwards again when it was restarted. */
struct title {
	char name[64]; /* filled up with zeros; empty: nobody's */
	__u32 idle; /* seconds */
	__u32 zero;
	/* Of those that ended. */
	__u64 packets;
	__u64 bytes;
	__u64 reply_packets;
	__u64 reply_bytes;
};

/* An interface as flows name it; a tagged one stands for the interface below and its tag. */
struct device {
	__u8 mac[6];
	__u16 vlan; /* 0: untagged */
	__u32 ifindex; /* where frames leave */
	__u32 number; /* its own ifindex; 0: nothing here */
};

/* Where a flow's packets go, and how many did. */
struct hop {
	__u8 dmac[6];
	__u16 device;
	__u32 forward; /* 24 bits, above them enum hop_flag */
	__u16 mtu; /* of the IP packet */
	__u16 generation; /* of routes and neighbours when the hop was found */
	__u64 bytes; /* of IP packets */
	__u64 packets; /* 46 bits; the 18 above them are of settings.now at the last one */
};

enum hop_flag {
	HOP_REPLY = 1 << 24, /* from the backend to the client */
	HOP_LIMIT = 1 << 25, /* look at the forward's limits */
	HOP_SIP = 1 << 26, /* the process reads these packets */
};

#define FORWARD_BITS 24
#define FORWARD_MASK ((1 << FORWARD_BITS) - 1)
#define PACKETS_BITS 46
#define PACKETS_MASK ((1ULL << PACKETS_BITS) - 1)

/*
 * A place of a flow table: see flows.h. What is not LIVE is nobody's flow.
 *
 *   EMPTY ─► BUSY ─► LIVE ─► DEAD ─► RESTING ─► FREE (two kinds, by turns) ─► EMPTY
 *              ▲                                  │
 *              └──────────────────────────────────┘
 *
 *  The program goes from what is reusable to LIVE, from LIVE to DEAD where a packet finds that a flow may not go on, and from BUSY to RESTING; all else is the collector's, with a walk over the table between two steps, so
 * that no packet that is under way meets another flow in the same place.
 */
enum place_state {
	PLACE_EMPTY,
	PLACE_LIVE,
	PLACE_DEAD, /* its packets are still to be added up */
	PLACE_RESTING,
	PLACE_FREE,
	PLACE_FREE_TOO,
	PLACE_BUSY = 1U << 31, /* being written; below it the hash */
};

/* A cache line. Addresses and ports in network order, `addresses`: source, destination. */
struct flow4 {
	__be32 addresses[2]; /* key */
	__be16 ports[2];
	__u32 state;
	__be32 saddr; /* what the packet gets */
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__u16 ip_delta; /* added to the complement of IP's checksum, the hop's TTL included */
	__u16 udp_delta;
	struct hop hop;
};

/* Two cache lines. */
struct flow6 {
	struct address addresses[2];
	__be16 ports[2];
	__u32 state;
	struct address saddr;
	struct address daddr;
	__be16 sport;
	__be16 dport;
	__u16 zero;
	__u16 udp_delta;
	struct hop hop;
	__u64 zeros[2];
};

/* Of a forward on one processor: what went nowhere. What was forwarded is counted in flows. */
struct count {
	__u64 refused; /* packets of clients: no flow for them */
	__u64 limited; /* packets of clients over a limit */
	__u64 denied; /* packets of clients, by a prefix */
	__u64 zero;
};

/* Why a packet was not simply forwarded; a counter for each on each processor. PASS: the kernel has it. */
enum reason {
	REASON_NONE,
	REASON_OTHER, /* PASS: neither a flow's nor for a listener */
	REASON_SHORT, /* PASS: shorter than its headers say */
	REASON_FRAGMENT, /* PASS: of a datagram whose first fragment did not come before, or that is not UDP */
	REASON_OPTIONS, /* PASS: IPv4 options, IPv6 extension headers */
	REASON_TTL, /* PASS: the kernel says that its time is over */
	REASON_TAGS, /* PASS: two VLAN tags */
	REASON_SPOOFED, /* a source that nobody can have */
	REASON_DENIED, /* by a prefix */
	REASON_BUDGET, /* of new flows */
	REASON_BACKEND, /* none */
	REASON_UNROUTABLE, /* no route, or to ourselves */
	REASON_NEIGHBOUR, /* not yet resolved */
	REASON_DISABLED, /* forwarding is off on the interface */
	REASON_PORTS, /* no SNAT port found */
	REASON_CONFLICT, /* transparent: another listener leads this client to the same backend */
	REASON_FULL, /* no room for a flow */
	REASON_LIMIT, /* of a forward */
	REASON_SOURCE_LIMIT,
	REASON_TOO_BIG, /* for the path; answered */
	REASON_ZERO_CHECKSUM, /* PASS: illegal in IPv6 */
	REASON_ICMP, /* translated */
	REASON_HEADROOM, /* no room for a VLAN tag */
	REASON_REMOVED, /* the forward of a flow is gone */
	REASON_UNCAPTURED, /* forwarded, but no room for its copy to the process */
	REASONS,
};

/* Written by the process, read by the program for every packet. */
struct settings {
	__u32 now; /* seconds, of the collector's clock: it stands still while there is nobody to collect */
	__u32 generation; /* of routes and neighbours; the low 16 bits count */
	__u32 flags;
	__u32 capture; /* one packet in so many; 0: none */
	__u32 capture_forward; /* only this one; 0xffffffff: all */
	__u32 zero;
	struct rate flows; /* budget of new ones */
	struct rate answers; /* ICMP errors of our own, and calls for neighbours */
	__u64 seed; /* of flow tables: nobody outside knows who is whose neighbour there */
	__u32 used4; /* written by the program when a flow is put there */
	__u32 used6;
};

enum setting {
	SETTING_RANGES = 1 << 0, /* there are ranges of addresses or ports */
	SETTING_STRICT = 1 << 1, /* a client must be where its packets come from */
	SETTING_REDIRECT = 1 << 2, /* back to the interface a packet came from: by redirection, not XDP_TX (veth) */
	SETTING_WHOLE = 1 << 3, /* more of a captured packet than its headers */
};

enum event { EVENT_NEIGHBOUR = 1, EVENT_CAPTURE = 2, EVENT_SIP = 3 };

struct neighbour_event {
	__u32 kind;
	__u32 ifindex;
	struct address address; /* of the next hop */
};

/* A packet as it came in, and what its destination becomes. */
struct capture_event {
	__u32 kind;
	__u32 ifindex;
	__u64 time; /* ns since boot */
	__u32 forward;
	__u16 length; /* of the frame */
	__u16 captured;
	struct address to;
	__be16 to_port;
	__u16 reply;
	__u32 zero;
};

/* Bytes of the frame behind it: with all headers, or as much of a packet as there is room for. */
#define CAPTURE_BYTES 280
#define WHOLE_BYTES 2000

#endif
