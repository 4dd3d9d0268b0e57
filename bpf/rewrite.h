/*
 * What a packet gets from its flow: addresses, TTL and ports, and the checksums that go with them.
 *
 *   IPv4   … TTL, protocol, checksum (a word) · source, destination (a word)          UDP   ports (a word) · length · checksum
 */
#ifndef LONGHAUL_REWRITE_H
#define LONGHAUL_REWRITE_H

#include "checksum.h"
#include "packet.h"

/* Its TTL is 2 or more. */
static __always_inline void rewrite4(struct iphdr *ip, const struct flow4 *flow)
{
	__u32 word = load32(&ip->ttl);
	store32(&ip->ttl, (__u16)(word - 1) | (__u32)checksum_add(word >> 16, flow->ip_delta) << 16);
	store64(&ip->saddr, load64(&flow->saddr));
}

/* Its hop limit is 2 or more. */
static __always_inline void rewrite6(struct ipv6hdr *ip, const struct flow6 *flow)
{
	for (int i = 0; i < 4; i += 2) {
		store64(&ip->saddr.s6_addr32[i], load64(&flow->saddr.words[i]));
		store64(&ip->daddr.s6_addr32[i], load64(&flow->daddr.words[i]));
	}
	ip->hop_limit--;
}

/* `ports`: source and destination, one behind the other. */
static __always_inline void rewrite_udp(struct udphdr *udp, const __be16 *ports, __u16 delta)
{
	store32(udp, load32(ports));
	if (udp->check)
		udp->check = udp_checksum_add(udp->check, delta);
}

#endif
