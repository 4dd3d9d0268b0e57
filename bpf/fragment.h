/*
 * Fragments of a flow's datagrams: the first one has the ports, the others are led by what it left: source, destination and identification of the datagram. One that
 * comes before its first is the kernel's.
 *
 * Source: RFC 791 section 2.3, RFC 8200 section 4.5. Deviation: identifications are kept as they are, so that two clients behind one source address can meet in
 * a backend's reassembly (RFC 6864 section 5.3); UDP's checksum finds that out.
 */
#ifndef LONGHAUL_FRAGMENT_H
#define LONGHAUL_FRAGMENT_H

#include "attend.h"
#include "flows.h"
#include "leave.h"
#include "rewrite.h"

#define IP_OFFSET 0x1fff
#define IP6_OFFSET 0xfff8

struct fragment_header {
	__u8 nexthdr;
	__u8 reserved;
	__be16 offset;
	__be32 id;
};

static __always_inline int is_place(__u32 state, const struct led *led, __u32 ports)
{
	return state == PLACE_LIVE && ports == led->ports;
}

static __noinline struct flow4 *led4(const struct datagram_key *key)
{
	struct led *led = bpf_map_lookup_elem(&fragments, key);
	if (!led)
		return 0;
	struct flow4 *flow = place4(led->place);
	return flow && is_place(flow->state, led, *(__u32 *)flow->ports) && flow->addresses[0] == key->source.words[3] &&
			       flow->addresses[1] == key->destination.words[3] ?
		       flow :
		       0;
}

static __noinline struct flow6 *led6(const struct datagram_key *key)
{
	struct led *led = bpf_map_lookup_elem(&fragments, key);
	if (!led)
		return 0;
	struct flow6 *flow = place6(led->place);
	return flow && is_place(flow->state, led, *(__u32 *)flow->ports) && same(&flow->addresses[0], &key->source) &&
			       same(&flow->addresses[1], &key->destination) ?
		       flow :
		       0;
}

/* Where the others will find the flow. */
static __noinline void lead4(const struct datagram_key *key, const struct key4 *flow)
{
	struct led led = { .place = locate4(flow), .ports = flow->ports };
	bpf_map_update_elem(&fragments, key, &led, BPF_ANY);
}

static __noinline void lead6(const struct datagram_key *key, const struct key6 *flow)
{
	struct led led = { .place = locate6(flow), .ports = flow->ports };
	bpf_map_update_elem(&fragments, key, &led, BPF_ANY);
}

static __always_inline int fragment4(struct xdp_md *ctx, struct ethhdr *eth, struct iphdr *ip, __u16 vlan)
{
	void *end = END(ctx);
	struct udphdr *udp = (void *)(ip + 1);
	if ((void *)udp > end)
		return pass(REASON_SHORT);
	int first = !(ip->frag_off & bpf_htons(IP_OFFSET));
	__u32 bytes = bpf_ntohs(ip->tot_len), least = sizeof(*ip) + (first ? sizeof(*udp) : 1);
	if (bytes < least || bytes > end - (void *)ip)
		return pass(REASON_SHORT);
	if (ip->protocol != IPPROTO_UDP)
		return pass(REASON_FRAGMENT);
	if (ip->ttl <= 1)
		return pass(REASON_TTL);
	struct datagram_key datagram = { .source = mapped(ip->saddr), .destination = mapped(ip->daddr), .id = ip->id };
	struct flow4 *flow;
	if (first) {
		if ((void *)(udp + 1) > end)
			return pass(REASON_SHORT);
		struct key4 key = key4(ip->saddr, ip->daddr, udp->source, udp->dest);
		flow = search4(&key);
		if (!flow)
			return elsewhere(ctx, PROGRAM_OPEN);
		lead4(&datagram, &key);
	} else {
		flow = led4(&datagram);
		if (!flow)
			return pass(REASON_FRAGMENT);
	}
	struct hop *hop = &flow->hop;
	int reason = attend4(ctx, flow, bytes);
	if (reason == -REASON_TOO_BIG && first) {
		count_reason(REASON_TOO_BIG);
		return too_big4(ctx, vlan, hop->mtu);
	}
	if (reason) {
		count_refusal(-reason, hop->forward & FORWARD_MASK);
		return XDP_DROP;
	}
	rewrite4(ip, flow);
	if (first && (void *)(udp + 1) <= end)
		rewrite_udp(udp, &flow->sport, flow->udp_delta);
	count_packet(hop, bytes);
	return leave(ctx, eth, hop, vlan);
}

static __always_inline int fragment6(struct xdp_md *ctx, struct ethhdr *eth, struct ipv6hdr *ip, __u16 vlan)
{
	void *end = END(ctx);
	struct fragment_header *fragment = (void *)(ip + 1);
	struct udphdr *udp = (void *)(fragment + 1);
	if ((void *)udp > end)
		return pass(REASON_SHORT);
	int first = !(fragment->offset & bpf_htons(IP6_OFFSET));
	__u32 bytes = bpf_ntohs(ip->payload_len) + sizeof(*ip), least = sizeof(*ip) + sizeof(*fragment) + (first ? sizeof(*udp) : 1);
	if (bytes < least || bytes > end - (void *)ip)
		return pass(REASON_SHORT);
	if (fragment->nexthdr != IPPROTO_UDP)
		return pass(REASON_FRAGMENT);
	if (ip->hop_limit <= 1)
		return pass(REASON_TTL);
	struct datagram_key datagram = { .source = address6(&ip->saddr), .destination = address6(&ip->daddr), .id = fragment->id };
	struct flow6 *flow;
	if (first) {
		if ((void *)(udp + 1) > end)
			return pass(REASON_SHORT);
		if (!udp->check)
			return pass(REASON_ZERO_CHECKSUM);
		struct key6 key = { .addresses = { datagram.source, datagram.destination }, .ports = (__u32)udp->dest << 16 | udp->source };
		flow = search6(&key);
		if (!flow)
			return elsewhere(ctx, PROGRAM_OPEN);
		lead6(&datagram, &key);
	} else {
		flow = led6(&datagram);
		if (!flow)
			return pass(REASON_FRAGMENT);
	}
	struct hop *hop = &flow->hop;
	int reason = attend6(ctx, flow, bytes);
	if (reason == -REASON_TOO_BIG && first) {
		count_reason(REASON_TOO_BIG);
		return too_big6(ctx, vlan, hop->mtu);
	}
	if (reason) {
		count_refusal(-reason, hop->forward & FORWARD_MASK);
		return XDP_DROP;
	}
	rewrite6(ip, flow);
	if (first && (void *)(udp + 1) <= end)
		rewrite_udp(udp, &flow->sport, flow->udp_delta);
	count_packet(hop, bytes);
	return leave(ctx, eth, hop, vlan);
}

/* The program before has looked at what is before the IP header. */
SEC("xdp/fragment")
int forward_fragment(struct xdp_md *ctx)
{
	struct ethhdr *eth = DATA(ctx);
	struct vlan_header *tag = (void *)(eth + 1);
	if ((void *)(tag + 1) > END(ctx))
		return XDP_PASS;
	__be16 proto = eth->h_proto;
	__u16 vlan = 0;
	void *ip = tag;
	if (proto == bpf_htons(ETH_P_8021Q)) {
		vlan = bpf_ntohs(tag->tag) & VLAN_ID;
		proto = tag->proto;
		ip = tag + 1;
	}
	if (proto == bpf_htons(ETH_P_IP) && ip + sizeof(struct iphdr) <= END(ctx))
		return fragment4(ctx, eth, ip, vlan);
	if (proto == bpf_htons(ETH_P_IPV6) && ip + sizeof(struct ipv6hdr) <= END(ctx))
		return fragment6(ctx, eth, ip, vlan);
	return XDP_PASS;
}

#endif
