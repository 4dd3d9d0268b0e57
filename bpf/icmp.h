/*
 * ICMP errors about a flow's packets, translated as the flow is: whoever gets one sees addresses and ports of its own packet. And the error of our own for a
 * packet too big for its way.
 *
 *   IP 20 or 40 · type, code, checksum, rest 8 · IP of the packet the error is about · its UDP header …
 *
 * Source: RFC 792, RFC 4443, RFC 5508 section 4.2. As in the kernel's NAT the error comes from the address the receiver had sent to, whichever router made it.
 */
#ifndef LONGHAUL_ICMP_H
#define LONGHAUL_ICMP_H

#include "checksum.h"
#include "flows.h"
#include "leave.h"
#include "rate.h"

struct icmp_header {
	__u8 type;
	__u8 code;
	__sum16 check;
	__be32 rest;
};

#define ICMP_UNREACHABLE 3
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETER 12
#define ICMP_FRAGMENTATION_NEEDED 4
#define ICMP6_TOO_BIG 2
#define ICMP6_ERROR_LAST 4
#define TTL_OF_OURS 64

struct about4 {
	struct iphdr ip;
	struct icmp_header icmp;
	struct iphdr inner;
	struct udphdr udp;
};

struct about6 {
	struct ipv6hdr ip;
	struct icmp_header icmp;
	struct ipv6hdr inner;
	struct udphdr udp;
};

static __always_inline int icmp4(struct xdp_md *ctx, struct ethhdr *eth, struct about4 *about, __u16 vlan)
{
	if ((void *)(about + 1) > END(ctx)) {
		count_reason(REASON_OTHER);
		return XDP_PASS;
	}
	__u8 type = about->icmp.type;
	if ((type != ICMP_UNREACHABLE && type != ICMP_TIME_EXCEEDED && type != ICMP_PARAMETER) || *(__u8 *)&about->inner != 0x45 ||
	    about->inner.protocol != IPPROTO_UDP || about->inner.frag_off & bpf_htons(IP_OFFSET_OR_MORE)) {
		count_reason(REASON_OTHER);
		return XDP_PASS;
	}
	/* The error travels like an answer to the packet it is about. */
	struct key4 key = key4(about->inner.daddr, about->inner.saddr, about->udp.dest, about->udp.source);
	struct flow4 *flow = search4(&key);
	if (!flow || about->ip.ttl <= 1) {
		count_reason(flow ? REASON_TTL : REASON_OTHER);
		return XDP_PASS;
	}
	__u64 addresses = delta32(about->inner.saddr, flow->daddr) + delta32(about->inner.daddr, flow->saddr);
	__u64 ports = delta16(about->udp.source, flow->dport) + delta16(about->udp.dest, flow->sport);
	__u16 check = about->inner.check, udp_check = about->udp.check;
	__u16 new_check = checksum_add(check, fold(addresses));
	__u16 new_udp_check = udp_check ? udp_checksum_add(udp_check, fold(addresses + ports)) : 0;
	about->inner.check = new_check;
	about->udp.check = new_udp_check;
	about->icmp.check = checksum_add(about->icmp.check, fold(addresses + ports + delta16(check, new_check) + delta16(udp_check, new_udp_check)));
	about->inner.saddr = flow->daddr;
	about->inner.daddr = flow->saddr;
	about->udp.source = flow->dport;
	about->udp.dest = flow->sport;
	__u64 outer = delta32(about->ip.saddr, flow->saddr) + delta32(about->ip.daddr, flow->daddr);
	about->ip.check = checksum_add(about->ip.check, fold(outer + 0xfffe));
	about->ip.ttl--;
	about->ip.saddr = flow->saddr;
	about->ip.daddr = flow->daddr;
	count_reason(REASON_ICMP);
	return leave(ctx, eth, &flow->hop, vlan);
}

static __always_inline int icmp6(struct xdp_md *ctx, struct ethhdr *eth, struct about6 *about, __u16 vlan)
{
	if ((void *)(about + 1) > END(ctx)) {
		count_reason(REASON_OTHER);
		return XDP_PASS;
	}
	__u8 type = about->icmp.type;
	if (!type || type > ICMP6_ERROR_LAST || *(__u8 *)&about->inner >> 4 != 6 || about->inner.nexthdr != IPPROTO_UDP) {
		count_reason(REASON_OTHER);
		return XDP_PASS;
	}
	struct key6 key = {
		.addresses = { address6(&about->inner.daddr), address6(&about->inner.saddr) }, .ports = (__u32)about->udp.source << 16 | about->udp.dest
	};
	struct flow6 *flow = search6(&key);
	if (!flow || about->ip.hop_limit <= 1) {
		count_reason(flow ? REASON_TTL : REASON_OTHER);
		return XDP_PASS;
	}
	__u64 addresses = delta128(&key.addresses[1], &flow->daddr) + delta128(&key.addresses[0], &flow->saddr);
	__u64 ports = delta16(about->udp.source, flow->dport) + delta16(about->udp.dest, flow->sport);
	struct address from = address6(&about->ip.saddr), to = address6(&about->ip.daddr);
	/* ICMPv6 sums the outer addresses as well. */
	__u64 outer = delta128(&from, &flow->saddr) + delta128(&to, &flow->daddr);
	__u16 udp_check = about->udp.check;
	__u16 new_udp_check = udp_checksum_add(udp_check, fold(addresses + ports));
	about->udp.check = new_udp_check;
	__u64 sum = fold(addresses + ports) + (__u64)fold(outer) + delta16(udp_check, new_udp_check);
	about->icmp.check = checksum_add(about->icmp.check, fold(sum));
	__builtin_memcpy(&about->inner.saddr, &flow->daddr, 16);
	__builtin_memcpy(&about->inner.daddr, &flow->saddr, 16);
	about->udp.source = flow->dport;
	about->udp.dest = flow->sport;
	__builtin_memcpy(&about->ip.saddr, &flow->saddr, 16);
	__builtin_memcpy(&about->ip.daddr, &flow->daddr, 16);
	about->ip.hop_limit--;
	count_reason(REASON_ICMP);
	return leave(ctx, eth, &flow->hop, vlan);
}

/* ICMP to an address of ours, perhaps about a flow. The program before has looked at the lengths up to IP's header. */
SEC("xdp/icmp")
int translate_icmp(struct xdp_md *ctx)
{
	struct ethhdr *eth = DATA(ctx);
	struct vlan_header *tag = (void *)(eth + 1);
	if ((void *)(tag + 1) > END(ctx))
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		return icmp4(ctx, eth, (void *)tag, 0);
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return icmp6(ctx, eth, (void *)tag, 0);
	__u16 vlan = bpf_ntohs(tag->tag) & VLAN_ID;
	return tag->proto == bpf_htons(ETH_P_IP) ? icmp4(ctx, eth, (void *)(tag + 1), vlan) : icmp6(ctx, eth, (void *)(tag + 1), vlan);
}

/* Answers a packet that is too big: cuts it to its headers and puts ours before them. Few a second. */
static __noinline int too_big4(struct xdp_md *ctx, __u16 vlan, __u16 mtu)
{
	if (!within_rate(&budget.bytes, &settings.answers, 1))
		return XDP_DROP;
	int l2 = vlan ? 18 : 14;
	int length = frame_bytes(ctx);
	if (bpf_xdp_adjust_tail(ctx, l2 + 28 - length) || bpf_xdp_adjust_head(ctx, -28))
		return XDP_DROP;
	struct ethhdr *eth = DATA(ctx);
	struct about4 *about = DATA(ctx) + l2;
	if ((void *)(about + 1) > END(ctx))
		return XDP_DROP;
	/* Its link header is where the headers we quote follow now. */
	__u8 *before = DATA(ctx) + 28;
	__builtin_memcpy(eth->h_dest, before + 6, 6);
	__builtin_memcpy(eth->h_source, before, 6);
	__builtin_memcpy(&eth->h_proto, before + 12, 2);
	if (vlan)
		__builtin_memcpy(eth + 1, before + 14, 4);
	struct iphdr ip = {
		.version = 4, .ihl = 5, .tot_len = bpf_htons(56), .frag_off = bpf_htons(0x4000), .ttl = TTL_OF_OURS, .protocol = IPPROTO_ICMP,
		.saddr = about->inner.daddr, .daddr = about->inner.saddr,
	};
	ip.check = ~fold(bpf_csum_diff(0, 0, (void *)&ip, sizeof(ip), 0));
	about->ip = ip;
	struct icmp_header icmp = { .type = ICMP_UNREACHABLE, .code = ICMP_FRAGMENTATION_NEEDED, .rest = bpf_htonl(mtu) };
	about->icmp = icmp;
	about->icmp.check = ~fold(bpf_csum_diff(0, 0, (void *)&about->icmp, 36, 0));
	return out(ctx, ctx->ingress_ifindex);
}

static __noinline int too_big6(struct xdp_md *ctx, __u16 vlan, __u16 mtu)
{
	if (!within_rate(&budget.bytes, &settings.answers, 1))
		return XDP_DROP;
	int l2 = vlan ? 18 : 14;
	int length = frame_bytes(ctx);
	if (bpf_xdp_adjust_tail(ctx, l2 + 48 - length) || bpf_xdp_adjust_head(ctx, -48))
		return XDP_DROP;
	struct ethhdr *eth = DATA(ctx);
	struct about6 *about = DATA(ctx) + l2;
	if ((void *)(about + 1) > END(ctx))
		return XDP_DROP;
	__u8 *before = DATA(ctx) + 48;
	__builtin_memcpy(eth->h_dest, before + 6, 6);
	__builtin_memcpy(eth->h_source, before, 6);
	__builtin_memcpy(&eth->h_proto, before + 12, 2);
	if (vlan)
		__builtin_memcpy(eth + 1, before + 14, 4);
	struct ipv6hdr ip = { .version = 6, .payload_len = bpf_htons(56), .nexthdr = IPPROTO_ICMPV6, .hop_limit = TTL_OF_OURS };
	ip.saddr = about->inner.daddr;
	ip.daddr = about->inner.saddr;
	about->ip = ip;
	struct icmp_header icmp = { .type = ICMP6_TOO_BIG, .rest = bpf_htonl(mtu) };
	about->icmp = icmp;
	__u64 sum = bpf_csum_diff(0, 0, (void *)&about->ip.saddr, 32, bpf_htons(56) + bpf_htons(IPPROTO_ICMPV6));
	about->icmp.check = ~fold((__u64)(__u32)bpf_csum_diff(0, 0, (void *)&about->icmp, 56, 0) + (__u32)sum);
	return out(ctx, ctx->ingress_ifindex);
}

#endif
