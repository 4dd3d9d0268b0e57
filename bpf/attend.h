/*
 * What every program does with a packet of a flow besides translating it: counts it, and looks at what is seldom.
 */
#ifndef LONGHAUL_ATTEND_H
#define LONGHAUL_ATTEND_H

#include "admit.h"
#include "capture.h"
#include "flows.h"
#include "route.h"

static __always_inline int pass(__u32 reason)
{
	count_reason(reason);
	return XDP_PASS;
}

/* What is not a flow's packet: perhaps the first of one, or an error about one. */
static __always_inline int elsewhere(struct xdp_md *ctx, enum program program)
{
	bpf_tail_call(ctx, &programs, program);
	return pass(REASON_OTHER);
}

/* What is seldom: limits, changed routes, packets that the process wants to see, a packet too big for its way. 0: it goes on. */
static __noinline int attend(struct xdp_md *ctx, const struct ends *ends, struct hop *hop, __u32 bytes)
{
	if (hop->generation != (__u16)settings.generation) {
		int failed = readmit(ends, hop);
		if (!failed)
			failed = reroute(ctx, &ends->from, &ends->to, hop);
		if (failed)
			return failed;
	}
	if (hop->forward & HOP_LIMIT) {
		int failed = within_limits(hop->forward & FORWARD_MASK, &ends->client, bytes);
		if (failed)
			return failed;
	}
	if (hop->forward & HOP_SIP)
		record_whole(ctx, hop, ends, EVENT_SIP);
	if (settings.capture)
		capture(ctx, hop, ends);
	return bytes > hop->mtu ? -REASON_TOO_BIG : 0;
}

static __noinline int attend4(struct xdp_md *ctx, struct flow4 *flow, __u32 bytes)
{
	int reply = flow->hop.forward & HOP_REPLY;
	struct ends ends = {
		.client = mapped(flow->addresses[0]),
		.backend = mapped(reply ? flow->addresses[0] : flow->daddr),
		.from = mapped(flow->saddr),
		.to = mapped(flow->daddr),
		.backend_port = reply ? flow->ports[0] : flow->dport,
		.listener_port = reply ? flow->sport : flow->ports[1],
		.to_port = flow->dport,
	};
	return attend(ctx, &ends, &flow->hop, bytes);
}

static __noinline int attend6(struct xdp_md *ctx, struct flow6 *flow, __u32 bytes)
{
	int reply = flow->hop.forward & HOP_REPLY;
	struct ends ends = {
		.client = flow->addresses[0],
		.backend = reply ? flow->addresses[0] : flow->daddr,
		.from = flow->saddr,
		.to = flow->daddr,
		.backend_port = reply ? flow->ports[0] : flow->dport,
		.listener_port = reply ? flow->sport : flow->ports[1],
		.to_port = flow->dport,
	};
	return attend(ctx, &ends, &flow->hop, bytes);
}

static __always_inline void count_packet(struct hop *hop, __u32 bytes)
{
	hop->bytes += bytes;
	hop->packets = ((hop->packets + 1) & PACKETS_MASK) | (__u64)settings.now << PACKETS_BITS;
}

/* One word of the hop: forward 32 · mtu 16 · generation 16. */
static __always_inline int unusual(const struct hop *hop, __u32 bytes)
{
	__u64 word = load64(&hop->forward);
	return ((word >> 48) ^ (__u16)settings.generation) | (word & (HOP_LIMIT | HOP_SIP)) | settings.capture | (bytes > (__u16)(word >> 32));
}

#endif
