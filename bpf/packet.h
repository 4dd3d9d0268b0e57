/*
 * Headers as they lie in a frame.
 *
 *   Ethernet 14 · [802.1Q 4] · IPv4 20 or IPv6 40 · UDP 8 · …
 */
#ifndef LONGHAUL_PACKET_H
#define LONGHAUL_PACKET_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <linux/in.h>
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "layout.h"

#define IP_OFFSET_OR_MORE 0x3fff
#define VLAN_ID 0x0fff
#define AF_INET 2
#define AF_INET6 10

struct vlan_header {
	__be16 tag;
	__be16 proto;
};

#define DATA(ctx) ((void *)(long)(ctx)->data)
#define END(ctx) ((void *)(long)(ctx)->data_end)

/* Bytes of the frame; the barrier keeps the compiler from taking half of a pointer. */
static __always_inline __u64 frame_bytes(struct xdp_md *ctx)
{
	__u64 bytes = END(ctx) - DATA(ctx);
	asm volatile("" : "+r"(bytes));
	return bytes;
}

/* Both MACs of a link header; packets may be read unaligned. */
static __always_inline void put_macs(struct ethhdr *eth, const struct hop *hop, const struct device *device)
{
	const __u16 *to = (const void *)hop->dmac, *from = (const void *)device->mac;
	__u16 *macs = (void *)eth;
	*(__u32 *)macs = *(const __u32 *)to;
	macs[2] = to[2];
	*(__u32 *)(macs + 3) = *(const __u32 *)from;
	macs[5] = from[2];
}

static __always_inline struct address mapped(__be32 v4)
{
	struct address address = { { 0, 0, bpf_htonl(0xffff), v4 } };
	return address;
}

static __always_inline int is_mapped(const struct address *address)
{
	return !(address->words[0] | address->words[1] | (address->words[2] ^ bpf_htonl(0xffff)));
}

static __always_inline int same(const struct address *a, const struct address *b)
{
	return !((a->words[0] ^ b->words[0]) | (a->words[1] ^ b->words[1]) | (a->words[2] ^ b->words[2]) | (a->words[3] ^ b->words[3]));
}

static __always_inline struct address address6(const struct in6_addr *in6)
{
	struct address address;
	__builtin_memcpy(&address, in6, sizeof(address));
	return address;
}

#endif
