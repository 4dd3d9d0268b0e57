/*
 * Packets for benches: each run writes the header of the next flow into the frame and hands it on.
 *
 *   client 10.64.0.0 + n, port 4000 + n % 1024 ─► listener 10.1.0.1, port 1024 + n % forwards          sources that nobody is: 10.80.0.0 + random, any port
 *
 * A test run does not put the packet back as it was, so that a program that translates would see its own work.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "packet.h"

struct map {
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 map_flags;
};

/* Where the frame goes: the program to be measured. */
struct map target SEC("maps") = { .type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };

/* Section .bss: written by the process. */
volatile struct {
	__u32 flows;
	__u32 forwards;
	__u32 random; /* 0: one after another */
	__u32 next;
	__u32 ifindex; /* of send */
	__u32 lines; /* of touch */
	__u64 state;
	__u64 gap; /* ns between two packets of send; 0: as fast as can be */
	__u64 due;
	__u64 sent[2]; /* by send: of flows, of sources that nobody is */
	__u64 taken[2]; /* by count and echo, likewise */
	__u32 spoofed; /* of 65,536 packets of send so many come from somewhere else each time */
	__u16 mac[4]; /* to whom send sends; a frame that was forwarded comes again as the forwarder left it */
	__u32 window; /* of send: so many packets are under way at most, 0: any number */
	__u64 late; /* ns that send makes up for when it could not keep its pace; beyond them it begins anew */
	__u64 held; /* runs of send for which it was time, but the window full */
	__u32 bytes; /* of the frame, for rewind */
	__u32 zero;
} bench;

struct line {
	__u64 words[8];
};

struct map lines SEC("maps") = {
	.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = sizeof(struct line), .max_entries = 1, .map_flags = BPF_F_MMAPABLE
};

/* What a flow's key and the rest of its line would be in the kernel's own hash table. */
struct key {
	__be32 addresses[2];
	__be16 ports[2];
};

struct entry {
	__u64 words[7];
};

struct map table SEC("maps") = { .type = BPF_MAP_TYPE_HASH, .key_size = sizeof(struct key), .value_size = sizeof(struct entry), .max_entries = 1 };

static __always_inline __u64 random64(void)
{
	__u64 x = bench.state;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	bench.state = x;
	return x;
}

static __always_inline int write_header(struct xdp_md *ctx)
{
	struct ethhdr *eth = DATA(ctx);
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);
	if ((void *)(udp + 1) > END(ctx))
		return 0;
	__u32 n;
	if (bench.random) {
		n = ((random64() >> 32) * bench.flows) >> 32;
	} else {
		n = bench.next;
		bench.next = n + 1;
	}
	/* In words as large as anybody reads them: a load of two stores that are still under way waits for both, as no packet from a wire makes it wait. */
	*(__u64 *)&ip->saddr = (__u64)bpf_htonl(0x0a010001) << 32 | bpf_htonl(0x0a400000 + n);
	*(__u32 *)&ip->ttl = 64 | IPPROTO_UDP << 8;
	*(__u32 *)&udp->source = (__u32)bpf_htons(1024 + n % bench.forwards) << 16 | bpf_htons(4000 + (n & 1023));
	return 1;
}

/* Nothing: what a run itself costs. */
SEC("xdp/empty")
int empty(struct xdp_md *ctx)
{
	return XDP_TX;
}

/* What leaving by another interface costs, a call into the kernel. */
SEC("xdp/leave")
int leave(struct xdp_md *ctx)
{
	return bpf_redirect(bench.ifindex, 0);
}

/* The header, then the target. */
SEC("xdp/rotate")
int rotate(struct xdp_md *ctx)
{
	if (write_header(ctx))
		bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

/* The same for a program that puts a header before the packet: what the run before put there is taken off again. */
SEC("xdp/rewind")
int rewind(struct xdp_md *ctx)
{
	int grown = (long)END(ctx) - (long)DATA(ctx) - bench.bytes;
	if (grown > 0 && bpf_xdp_adjust_head(ctx, grown))
		return XDP_ABORTED;
	struct ethhdr *eth = DATA(ctx);
	if ((void *)(eth + 1) > END(ctx))
		return XDP_ABORTED;
	eth->h_proto = bpf_htons(ETH_P_IP);
	if (write_header(ctx))
		bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

/* Room for another IPv4 header, and nothing else. */
SEC("xdp/grow")
int grow(struct xdp_md *ctx)
{
	return bpf_xdp_adjust_head(ctx, -(int)sizeof(struct iphdr)) ? XDP_ABORTED : XDP_TX;
}

/* As touch, but found by the kernel's hash table: a packet of a flow that is not there yet puts it there. */
SEC("xdp/hashed")
int hashed(struct xdp_md *ctx)
{
	struct iphdr *ip = DATA(ctx) + sizeof(struct ethhdr);
	struct udphdr *udp = (void *)(ip + 1);
	if ((void *)(udp + 1) > END(ctx))
		return XDP_ABORTED;
	struct key key = { { ip->saddr, ip->daddr }, { udp->source, udp->dest } };
	struct entry *entry = bpf_map_lookup_elem(&table, &key);
	if (!entry) {
		struct entry none = {};
		return bpf_map_update_elem(&table, &key, &none, BPF_ANY) ? XDP_ABORTED : XDP_TX;
	}
	entry->words[0]++;
	bench.state ^= entry->words[6];
	return XDP_TX;
}

/* What no forwarder does without: one line of a table, found by the header, read and written. The next packet depends on what was read (zeros), so that it is waited for. */
SEC("xdp/touch")
int touch(struct xdp_md *ctx)
{
	struct iphdr *ip = DATA(ctx) + sizeof(struct ethhdr);
	if ((void *)(ip + 1) > END(ctx))
		return XDP_ABORTED;
	__u32 place = (ip->saddr * 0x9fb21c651e98df25ULL >> 32) * bench.lines >> 32;
	struct line *line = bpf_map_lookup_elem(&lines, &place);
	if (!line)
		return XDP_ABORTED;
	line->words[0]++;
	bench.state ^= line->words[7];
	return XDP_TX;
}

/* Whose packet it is, for those who take it: the first byte of the payload. */
static __always_inline __u8 *mark(struct xdp_md *ctx)
{
	__u8 *at = DATA(ctx) + sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct udphdr);
	return (void *)(at + 1) > END(ctx) ? 0 : at;
}

/* The header, then out by an interface: with live frames a generator of load. A run before its time, and one behind the last of flows that come one after another, sends nothing. */
SEC("xdp/send")
int send(struct xdp_md *ctx)
{
	if (!bench.random && bench.next >= bench.flows)
		return XDP_DROP;
	__u64 gap = bench.gap;
	if (gap) {
		__u64 now = bpf_ktime_get_ns(), due = bench.due;
		if (now < due)
			return XDP_DROP;
		if (bench.window && bench.sent[0] + bench.sent[1] - bench.taken[0] - bench.taken[1] >= bench.window) {
			bench.held++;
			return XDP_DROP;
		}
		bench.due = (now - due > bench.late ? now : due) + gap;
	}
	struct iphdr *ip = DATA(ctx) + sizeof(struct ethhdr);
	if (!write_header(ctx) || (void *)(ip + 1) > END(ctx))
		return XDP_ABORTED;
	__u8 *marked = mark(ctx);
	if (!marked)
		return XDP_ABORTED;
	__u16 *to = DATA(ctx);
	to[0] = bench.mac[0];
	to[1] = bench.mac[1];
	to[2] = bench.mac[2];
	struct udphdr *udp = (void *)(ip + 1);
	__u32 nobody = bench.spoofed && (random64() & 0xffff) < bench.spoofed;
	if (nobody) {
		__u64 x = random64();
		ip->saddr = bpf_htonl(0x0a500000 + ((x >> 40) & 0xfffff));
		udp->source = bpf_htons(1024 + ((x >> 20) & 0x7fff));
	}
	*marked = nobody;
	bench.sent[nobody & 1]++;
	/* The kernel looks at it, other than the program. */
	ip->check = 0;
	__u32 sum = 0;
	for (int i = 0; i < 10; i++)
		sum += ((__u16 *)ip)[i];
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~((sum & 0xffff) + (sum >> 16));
	return bpf_redirect(bench.ifindex, 0);
}

/* Takes what comes, and counts it. */
SEC("xdp/count")
int count(struct xdp_md *ctx)
{
	__u8 *marked = mark(ctx);
	if (marked)
		__sync_fetch_and_add(&bench.taken[*marked & 1], 1);
	return XDP_DROP;
}

/* Sends back what comes: ends exchanged, by the interface it came from. The sum of a header does not change by that. */
SEC("xdp/echo")
int echo(struct xdp_md *ctx)
{
	struct ethhdr *eth = DATA(ctx);
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);
	if ((void *)(udp + 1) > END(ctx) || eth->h_proto != bpf_htons(ETH_P_IP) || ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	__u8 mac[6];
	__builtin_memcpy(mac, eth->h_dest, 6);
	__builtin_memcpy(eth->h_dest, eth->h_source, 6);
	__builtin_memcpy(eth->h_source, mac, 6);
	__be32 address = ip->saddr;
	ip->saddr = ip->daddr;
	ip->daddr = address;
	__be16 port = udp->source;
	udp->source = udp->dest;
	udp->dest = port;
	return bpf_redirect(ctx->ingress_ifindex, 0);
}

/* Takes what comes; for the end of a line. */
SEC("xdp/drop")
int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual MIT/GPL";
