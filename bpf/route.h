/*
 * The way to an address by the kernel's routing table and neighbours, asked once a flow and again when either changed (settings.generation).
 */
#ifndef LONGHAUL_ROUTE_H
#define LONGHAUL_ROUTE_H

#include "maps.h"
#include "packet.h"
#include "rate.h"

static __noinline void call_neighbour(const struct bpf_fib_lookup *fib)
{
	if (!within_rate(&budget.bytes, &settings.answers, 1))
		return;
	struct neighbour_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return;
	event->kind = EVENT_NEIGHBOUR;
	event->ifindex = fib->ifindex;
	if (fib->family == AF_INET)
		event->address = mapped(fib->ipv4_dst);
	else
		__builtin_memcpy(&event->address, fib->ipv6_dst, sizeof(event->address));
	bpf_ringbuf_submit(event, 0);
}

/* Writes MAC, device and MTU of the hop; answers 0 or the reason why not, negative. With REASON_NEIGHBOUR only the MAC and the MTU are missing. */
static __noinline int route(struct xdp_md *ctx, const struct address *from, const struct address *to, struct hop *hop)
{
	struct bpf_fib_lookup fib = {};
	if (is_mapped(to)) {
		fib.family = AF_INET;
		fib.ipv4_src = from->words[3];
		fib.ipv4_dst = to->words[3];
	} else {
		fib.family = AF_INET6;
		__builtin_memcpy(fib.ipv6_src, from, sizeof(*from));
		__builtin_memcpy(fib.ipv6_dst, to, sizeof(*to));
	}
	fib.l4_protocol = IPPROTO_UDP;
	fib.ifindex = ctx->ingress_ifindex;
	long result = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
	if (result == BPF_FIB_LKUP_RET_FWD_DISABLED)
		return -REASON_DISABLED;
	if (result != BPF_FIB_LKUP_RET_SUCCESS && result != BPF_FIB_LKUP_RET_NO_NEIGH)
		return -REASON_UNROUTABLE;
	__u32 ifindex = fib.ifindex;
	__u32 *device = bpf_map_lookup_elem(&interfaces, &ifindex);
	if (!device || result == BPF_FIB_LKUP_RET_NO_NEIGH)
		call_neighbour(&fib);
	if (!device)
		return -REASON_UNROUTABLE;
	hop->device = *device;
	if (result == BPF_FIB_LKUP_RET_NO_NEIGH)
		return -REASON_NEIGHBOUR;
	hop->mtu = fib.mtu_result;
	__builtin_memcpy(hop->dmac, fib.dmac, 6);
	return 0;
}

/* The same for a flow that is there; while a neighbour is being resolved its packets go to the address that it had. */
static __noinline int reroute(struct xdp_md *ctx, const struct address *from, const struct address *to, struct hop *hop)
{
	struct hop found = *hop;
	found.generation = settings.generation;
	int failed = route(ctx, from, to, &found);
	if (failed && failed != -REASON_NEIGHBOUR)
		return failed;
	if (failed && found.device != hop->device)
		return failed;
	__builtin_memcpy(hop->dmac, found.dmac, 6);
	hop->device = found.device;
	hop->mtu = found.mtu;
	hop->generation = found.generation;
	return 0;
}

#endif
