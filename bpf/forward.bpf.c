/*
 * UDP forwarding before the kernel sees a packet: destination and source are translated, both ways, and the packet leaves.
 *
 *   frame ─► flow known? ── yes ─► limits ─► addresses, ports, checksums, TTL ─► MACs ─► out
 *                └─ no ─► for a listener? ─ yes ─► admit ─► ways there and back ─► SNAT port ─► both entries ─► as above
 *                                 └─ no ─► the kernel has it (XDP_PASS)
 *
 * Needs nothing but the kernel's uapi: no types of a running kernel, no relocations by them. Linux 5.15 or newer.
 *
 * Deviations from what a router does: IPv4's header checksum is not verified but carried on, so that the next hop finds it wrong as well; a packet too
 * big for the path is answered with ICMP even without DF, as nothing is fragmented here; a flow's packets are not counted by the kernel's conntrack.
 */
#include "attend.h"
#include "flows.h"
#include "icmp.h"
#include "fragment.h"
#include "leave.h"
#include "open.h"
#include "rewrite.h"

/* Version and length of IPv4's header, and what says that it is a fragment: of the header's first word. */
#define IP_FIRST 0x45
#define IP_FIRST_MASK ((__u64)bpf_htons(IP_OFFSET_OR_MORE) << 48 | 0xff)

/* What may not go on as it is. A flow whose forward or backend is gone is none any more: the packet begins anew, an answer ends here. */
static __always_inline int stopped(struct xdp_md *ctx, int reason, __u32 forward)
{
	if (reason == REASON_REMOVED && !(forward & HOP_REPLY))
		return elsewhere(ctx, PROGRAM_OPEN);
	count_refusal(reason, forward & FORWARD_MASK);
	return XDP_DROP;
}

static __always_inline int forward4(struct xdp_md *ctx, struct ethhdr *eth, struct iphdr *ip, __u16 vlan)
{
	void *end = END(ctx);
	struct udphdr *udp = (void *)(ip + 1);
	if ((void *)udp > end)
		return pass(REASON_SHORT);
	__u64 first = load64(ip);
	if ((first & IP_FIRST_MASK) != IP_FIRST)
		return (__u8)first == IP_FIRST ? elsewhere(ctx, PROGRAM_FRAGMENT) : pass(REASON_OPTIONS);
	if (ip->protocol != IPPROTO_UDP)
		return ip->protocol == IPPROTO_ICMP ? elsewhere(ctx, PROGRAM_ICMP) : pass(REASON_OTHER);
	__u32 bytes = bpf_ntohs(first >> 16);
	if ((void *)(udp + 1) > end || bytes < sizeof(*ip) + sizeof(*udp) || bytes > end - (void *)ip)
		return pass(REASON_SHORT);
	struct key4 key = { load64(&ip->saddr), load32(udp) };
	struct flow4 *flow = find4(&key);
	if (ip->ttl <= 1)
		return pass(REASON_TTL);
	if (!flow)
		return elsewhere(ctx, PROGRAM_OPEN);
	struct hop *hop = &flow->hop;
	if (unusual(hop, bytes)) {
		int reason = attend4(ctx, flow, bytes);
		if (reason == -REASON_TOO_BIG) {
			count_reason(REASON_TOO_BIG);
			return too_big4(ctx, vlan, hop->mtu);
		}
		if (reason == -REASON_REMOVED)
			end4(flow);
		if (reason)
			return stopped(ctx, -reason, hop->forward);
	}
	rewrite4(ip, flow);
	rewrite_udp(udp, &flow->sport, flow->udp_delta);
	count_packet(hop, bytes);
	return leave(ctx, eth, hop, vlan);
}

/* A packet with nothing between IPv6's header and UDP's; what has more is the kernel's. */
static __always_inline int forward6(struct xdp_md *ctx, struct ethhdr *eth, struct ipv6hdr *ip, __u16 vlan)
{
	void *end = END(ctx);
	struct udphdr *udp = (void *)(ip + 1);
	if ((void *)udp > end || *(__u8 *)ip >> 4 != 6)
		return pass(REASON_SHORT);
	if (ip->nexthdr == IPPROTO_ICMPV6)
		return elsewhere(ctx, PROGRAM_ICMP);
	if (ip->nexthdr == IPPROTO_FRAGMENT)
		return elsewhere(ctx, PROGRAM_FRAGMENT);
	if (ip->nexthdr != IPPROTO_UDP)
		return pass(ip->nexthdr == IPPROTO_HOPOPTS || ip->nexthdr == IPPROTO_ROUTING || ip->nexthdr == IPPROTO_DSTOPTS ? REASON_OPTIONS : REASON_OTHER);
	__u32 bytes = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	if ((void *)(udp + 1) > end || bytes < sizeof(*ip) + sizeof(*udp) || bytes > end - (void *)ip)
		return pass(REASON_SHORT);
	if (!udp->check)
		return pass(REASON_ZERO_CHECKSUM);
	struct key6 key = { .addresses = { address6(&ip->saddr), address6(&ip->daddr) }, .ports = load32(udp) };
	struct flow6 *flow = find6(&key);
	if (ip->hop_limit <= 1)
		return pass(REASON_TTL);
	if (!flow)
		return elsewhere(ctx, PROGRAM_OPEN);
	struct hop *hop = &flow->hop;
	if (unusual(hop, bytes)) {
		int reason = attend6(ctx, flow, bytes);
		if (reason == -REASON_TOO_BIG) {
			count_reason(REASON_TOO_BIG);
			return too_big6(ctx, vlan, hop->mtu);
		}
		if (reason == -REASON_REMOVED)
			end6(flow);
		if (reason)
			return stopped(ctx, -reason, hop->forward);
	}
	rewrite6(ip, flow);
	rewrite_udp(udp, &flow->sport, flow->udp_delta);
	count_packet(hop, bytes);
	return leave(ctx, eth, hop, vlan);
}

SEC("xdp")
int forward(struct xdp_md *ctx)
{
	void *end = END(ctx);
	struct ethhdr *eth = DATA(ctx);
	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	__be16 proto = load16(&eth->h_proto);
	void *ip = eth + 1;
	__u16 vlan = 0;
	if (proto == bpf_htons(ETH_P_8021Q)) {
		struct vlan_header *tag = ip;
		if ((void *)(tag + 1) > end)
			return XDP_PASS;
		vlan = bpf_ntohs(tag->tag) & VLAN_ID;
		proto = tag->proto;
		ip = tag + 1;
		if (!vlan || proto == bpf_htons(ETH_P_8021Q) || proto == bpf_htons(ETH_P_8021AD))
			return pass(REASON_TAGS);
	}
	if (proto == bpf_htons(ETH_P_IP))
		return forward4(ctx, eth, ip, vlan);
	if (proto == bpf_htons(ETH_P_IPV6))
		return forward6(ctx, eth, ip, vlan);
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual MIT/GPL";
