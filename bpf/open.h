/*
 * A new flow: both directions, and between the proxy and the backend an address and port that no other flow to the same backend has.
 *
 *   client:p ─► listener:l      becomes   source:s ─► backend:b        key of the first entry: (client, listener, p, l)
 *   backend:b ─► source:s       becomes   listener:l ─► client:p       key of the second: (backend, source, b, s)
 *
 * That the second is inserted only where none is makes the port unique. Candidates are all source addresses × ports, by double hashing: at 5/6 of
 * them taken, PORTS_TRIED fail once in 10^10.
 */
#ifndef LONGHAUL_OPEN_H
#define LONGHAUL_OPEN_H

#include "admit.h"
#include "checksum.h"
#include "flows.h"
#include "route.h"

#define PORTS_TRIED 128
/* ~1 + 0 of the hop's TTL: what decrementing the lower byte of TTL and protocol, as a little-endian word, adds. */
#define TTL_DELTA 0xfffe

/* Both ways of the flow: there and back. The way back is where the client's packet came from when its neighbour is not known but its interface is the right one. */
static __noinline int find_hops(struct xdp_md *ctx, const struct admission *a, struct hop *there, struct hop *back)
{
	int failed = route(ctx, &a->listener, &a->client, back);
	if (failed == -REASON_UNROUTABLE)
		return -REASON_SPOOFED;
	struct ethhdr *eth = DATA(ctx);
	if ((void *)(eth + 1) > END(ctx))
		return -REASON_SHORT;
	__u32 index = back->device;
	struct device *device = bpf_map_lookup_elem(&devices, &index);
	if (!device)
		return -REASON_UNROUTABLE;
	if (failed == -REASON_NEIGHBOUR && device->ifindex == ctx->ingress_ifindex) {
		__builtin_memcpy(back->dmac, eth->h_source, 6);
		back->mtu = 1500;
		failed = 0;
	}
	if (failed)
		return failed;
	if (settings.flags & SETTING_STRICT && device->ifindex != ctx->ingress_ifindex)
		return -REASON_SPOOFED;
	return route(ctx, &a->client, &a->backend, there);
}

static __always_inline void fill_hop(struct hop *hop, const struct admission *a, __u32 flags)
{
	hop->forward = a->forward | flags;
	hop->generation = settings.generation;
	hop->packets = (__u64)settings.now << PACKETS_BITS;
	hop->bytes = 0;
}

/* What the backend takes for the client. */
struct source {
	struct address address;
	__be16 port;
	__u16 zero;
};

/* The n-th candidate; 0 when there is none. Steps are odd, so that few of them lead round before PORTS_TRIED. */
static __always_inline int candidate(const struct admission *a, __u64 n, __u32 slots, __u32 step, struct source *source)
{
	__u32 slot = ((__u64)(__u32)a->hash + n * step) % slots;
	__u32 index = a->source + slot / a->ports;
	struct address *address = bpf_map_lookup_elem(&sources, &index);
	if (!address)
		return 0;
	source->address = *address;
	source->port = bpf_htons(a->port_first + slot % a->ports);
	return 1;
}

/* Of few all are tried, one after the other. */
static __always_inline __u32 step_of(const struct admission *a, __u32 slots)
{
	return slots <= PORTS_TRIED ? 1 : ((__u32)(a->hash >> 32) % slots) | 1;
}

/* A source that no flow to the same backend has; 0 when none was found. */
static __noinline int find_source4(const struct admission *a, struct source *source)
{
	__u32 slots = a->sources * a->ports;
	if (!slots)
		return 0;
	__u32 step = step_of(a, slots);
	for (__u32 n = 0; n < PORTS_TRIED; n++) {
		if (!candidate(a, n, slots, step, source))
			return 0;
		struct key4 key = key4(a->backend.words[3], source->address.words[3], a->backend_port, source->port);
		if (vacant4(&key))
			return 1;
	}
	return 0;
}

static __noinline int find_source6(const struct admission *a, struct source *source)
{
	__u32 slots = a->sources * a->ports;
	if (!slots)
		return 0;
	__u32 step = step_of(a, slots);
	struct key6 key = { .addresses = { a->backend } };
	for (__u32 n = 0; n < PORTS_TRIED; n++) {
		if (!candidate(a, n, slots, step, source))
			return 0;
		key.addresses[1] = source->address;
		key.ports = (__u32)source->port << 16 | a->backend_port;
		if (vacant6(&key))
			return 1;
	}
	return 0;
}

/* The way back for a source; 0 and its place, or an error. */
static __noinline int insert_back4(const struct admission *a, const struct hop *back, const struct source *source, __u32 *at)
{
	struct key4 key = key4(a->backend.words[3], source->address.words[3], a->backend_port, source->port);
	struct flow4 flow = { .saddr = a->listener.words[3], .daddr = a->client.words[3], .sport = a->listener_port, .dport = a->client_port, .hop = *back };
	__u64 addresses = delta32(a->backend.words[3], flow.saddr) + delta32(source->address.words[3], flow.daddr);
	flow.ip_delta = fold(addresses + TTL_DELTA);
	flow.udp_delta = fold(addresses + delta16(a->backend_port, flow.sport) + delta16(source->port, flow.dport));
	int failed = claim4(&key, at);
	if (!failed)
		publish4(*at, &key, &flow);
	if (failed != -EEXIST || !(a->flags & POLICY_TRANSPARENT))
		return failed;
	/* What a flow left that has only its way back. */
	struct flow4 *old = search4(&key);
	return old && old->saddr == flow.saddr && old->sport == flow.sport ? 0 : failed;
}

static __noinline int insert_back6(const struct admission *a, const struct hop *back, const struct source *source, __u32 *at)
{
	struct key6 key = { .addresses = { a->backend, source->address }, .ports = (__u32)source->port << 16 | a->backend_port };
	struct flow6 flow = { .saddr = a->listener, .daddr = a->client, .sport = a->listener_port, .dport = a->client_port, .hop = *back };
	flow.udp_delta = fold(delta128(&key.addresses[0], &flow.saddr) + delta128(&key.addresses[1], &flow.daddr) +
			      delta16(a->backend_port, flow.sport) + delta16(source->port, flow.dport));
	int failed = claim6(&key, at);
	if (!failed)
		publish6(*at, &key, &flow);
	if (failed != -EEXIST || !(a->flags & POLICY_TRANSPARENT))
		return failed;
	struct flow6 *old = search6(&key);
	return old && same(&old->saddr, &flow.saddr) && old->sport == flow.sport ? 0 : failed;
}

/* Address and port that the backend sees, with the flow's way back in place; 0 or the reason, negative. `at`: its place when it is new. */
static __always_inline int reserve(const struct admission *a, const struct hop *back, struct source *source, int family, __u32 *at)
{
	if (a->flags & POLICY_TRANSPARENT) {
		source->address = a->client;
		source->port = a->client_port;
	} else if (!(family == AF_INET ? find_source4(a, source) : find_source6(a, source))) {
		return -REASON_PORTS;
	}
	int failed = family == AF_INET ? insert_back4(a, back, source, at) : insert_back6(a, back, source, at);
	if (!failed)
		return 0;
	if (failed == -E2BIG)
		return -REASON_FULL;
	/* Another processor took it at the same moment; or, transparent, another listener leads this client to the same backend. */
	return a->flags & POLICY_TRANSPARENT ? -REASON_CONFLICT : -REASON_PORTS;
}

/* The flow's way there. When it cannot be had the way back, at `back`, is taken out again. */
static __noinline int insert4(const struct admission *a, const struct hop *there, const struct source *source, __u32 back)
{
	struct key4 key = key4(a->client.words[3], a->listener.words[3], a->client_port, a->listener_port);
	struct flow4 flow = {
		.saddr = source->address.words[3], .sport = source->port, .daddr = a->backend.words[3], .dport = a->backend_port, .hop = *there
	};
	__u64 addresses = delta32(a->client.words[3], flow.saddr) + delta32(a->listener.words[3], flow.daddr);
	flow.ip_delta = fold(addresses + TTL_DELTA);
	flow.udp_delta = fold(addresses + delta16(a->client_port, flow.sport) + delta16(a->listener_port, flow.dport));
	__u32 at;
	int failed = claim4(&key, &at);
	if (!failed) {
		publish4(at, &key, &flow);
		return 0;
	}
	struct flow4 *reverse = place4(back);
	if (reverse)
		end(&reverse->state);
	/* Another processor may have opened it in the meantime. */
	return failed == -EEXIST ? 0 : -REASON_FULL;
}

static __noinline int insert6(const struct admission *a, const struct hop *there, const struct source *source, __u32 back)
{
	struct key6 key = { .addresses = { a->client, a->listener }, .ports = (__u32)a->listener_port << 16 | a->client_port };
	struct flow6 flow = { .saddr = source->address, .sport = source->port, .daddr = a->backend, .dport = a->backend_port, .hop = *there };
	flow.udp_delta = fold(delta128(&key.addresses[0], &flow.saddr) + delta128(&key.addresses[1], &flow.daddr) +
			      delta16(a->client_port, flow.sport) + delta16(a->listener_port, flow.dport));
	__u32 at;
	int failed = claim6(&key, &at);
	if (!failed) {
		publish6(at, &key, &flow);
		return 0;
	}
	struct flow6 *reverse = place6(back);
	if (reverse)
		end(&reverse->state);
	return failed == -EEXIST ? 0 : -REASON_FULL;
}

/* 0: the flow is there. Otherwise the reason, negative. `a` has client and listener; `family` is AF_INET or AF_INET6. */
static __noinline int open(struct xdp_md *ctx, struct admission *a, int family)
{
	int failed = admit(a);
	if (failed)
		return failed;
	struct hop there = {}, back = {};
	failed = find_hops(ctx, a, &there, &back);
	if (failed)
		return failed;
	fill_hop(&back, a, HOP_REPLY | (a->flags & POLICY_SIP ? HOP_SIP : 0));
	fill_hop(&there, a, a->flags & (POLICY_LIMIT | POLICY_SOURCE_LIMIT) ? HOP_LIMIT : 0);
	struct source source = {};
	__u32 at = NOWHERE;
	failed = reserve(a, &back, &source, family, &at);
	if (failed)
		return failed;
	return family == AF_INET ? insert4(a, &there, &source, at) : insert6(a, &there, &source, at);
}

/* Who sends to whom, from the packet; 0 when it is not one that can open a flow. The program before has looked at its lengths. */
static __noinline int read_ends(struct xdp_md *ctx, struct admission *a)
{
	void *end = END(ctx), *ip = DATA(ctx) + sizeof(struct ethhdr);
	struct ethhdr *eth = DATA(ctx);
	if (ip > end)
		return 0;
	if (eth->h_proto == bpf_htons(ETH_P_8021Q))
		ip += sizeof(struct vlan_header);
	struct iphdr *ip4 = ip;
	struct ipv6hdr *ip6 = ip;
	struct udphdr *udp = (void *)(ip4 + 1);
	if ((void *)(udp + 1) > end)
		return 0;
	if (ip4->version == 4) {
		a->client = mapped(ip4->saddr);
		a->listener = mapped(ip4->daddr);
		a->client_port = udp->source;
		a->listener_port = udp->dest;
		return AF_INET;
	}
	udp = (void *)(ip6 + 1);
	if ((void *)(udp + 1) > end)
		return 0;
	if (ip6->nexthdr == IPPROTO_FRAGMENT) {
		/* The first one: its header is as long as UDP's. */
		udp++;
		if ((void *)(udp + 1) > end)
			return 0;
	}
	a->client = address6(&ip6->saddr);
	a->listener = address6(&ip6->daddr);
	a->client_port = udp->source;
	a->listener_port = udp->dest;
	return AF_INET6;
}

/* The first packet of a flow, or of none. When the flow is there the packet goes through `forward` again, and on its way. */
SEC("xdp/open")
int open_flow(struct xdp_md *ctx)
{
	struct admission a = {};
	int family = read_ends(ctx, &a);
	if (!family)
		return XDP_PASS;
	int reason = -open(ctx, &a, family);
	if (!reason) {
		bpf_tail_call(ctx, &programs, PROGRAM_FORWARD);
		return XDP_DROP;
	}
	if (reason == REASON_OTHER) {
		count_reason(REASON_OTHER);
		return XDP_PASS;
	}
	count_refusal(reason, a.forward);
	return XDP_DROP;
}

#endif
