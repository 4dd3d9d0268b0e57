/*
 * Packets for benches: each run writes the header of the next flow into the frame and hands it on.
 *
 *   client 10.64.0.0 + n, port 4000 + n % 1024 ─► listener 10.1.0.1, port 1024 + n % forwards
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
	__u32 zero;
	__u64 state;
} bench;

static __always_inline int write_header(struct xdp_md *ctx)
{
	struct ethhdr *eth = DATA(ctx);
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);
	if ((void *)(udp + 1) > END(ctx))
		return 0;
	__u32 n;
	if (bench.random) {
		__u64 x = bench.state;
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		bench.state = x;
		n = ((x >> 32) * bench.flows) >> 32;
	} else {
		n = bench.next;
		bench.next = n + 1;
	}
	/* In words as large as anybody reads them: a load of two stores that are still under way waits for both, as no packet from a wire makes it wait. */
	*(__u64 *)&ip->saddr = (__u64)bpf_htonl(0x0a010001) << 32 | bpf_htonl(0x0a400000 + n);
	ip->ttl = 64;
	*(__u32 *)&udp->source = (__u32)bpf_htons(1024 + n % bench.forwards) << 16 | bpf_htons(4000 + (n & 1023));
	return 1;
}

/* Nothing: what a run itself costs. */
SEC("xdp/empty")
int empty(struct xdp_md *ctx)
{
	return XDP_TX;
}

/* The header, then the target. */
SEC("xdp/rotate")
int rotate(struct xdp_md *ctx)
{
	if (write_header(ctx))
		bpf_tail_call(ctx, &target, 0);
	return XDP_ABORTED;
}

/* The header, then out by an interface: with live frames a generator of load. */
SEC("xdp/send")
int send(struct xdp_md *ctx)
{
	struct iphdr *ip = DATA(ctx) + sizeof(struct ethhdr);
	if (!write_header(ctx) || (void *)(ip + 1) > END(ctx))
		return XDP_ABORTED;
	/* The kernel looks at it, other than the program. */
	ip->check = 0;
	__u32 sum = 0;
	for (int i = 0; i < 10; i++)
		sum += ((__u16 *)ip)[i];
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~((sum & 0xffff) + (sum >> 16));
	return bpf_redirect(bench.ifindex, 0);
}

/* Takes what comes; for the end of a line. */
SEC("xdp/drop")
int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual MIT/GPL";
