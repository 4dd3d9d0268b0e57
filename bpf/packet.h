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

/* Words as wide as a register: clang would take what it knows the fields of from narrower ones. Packets may be read unaligned. */
static __always_inline __u64 load64(const void *at)
{
	return *(const __u64 *)at;
}

static __always_inline __u16 load16(const void *at)
{
	return *(const __u16 *)at;
}

static __always_inline __u32 load32(const void *at)
{
	return *(const __u32 *)at;
}

static __always_inline void store64(void *at, __u64 value)
{
	*(__u64 *)at = value;
}

static __always_inline void store32(void *at, __u32 value)
{
	*(__u32 *)at = value;
}

/* Both MACs of a link header. What follows the first in its word is written over by the second. */
static __always_inline void put_macs(struct ethhdr *eth, const struct hop *hop, const struct device *device)
{
	void *macs = eth;
	store64(macs, load64(hop->dmac));
	store32(macs + 6, load32(device->mac));
	*(__u16 *)(macs + 10) = *(const __u16 *)(device->mac + 4);
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
	return !((load64(a) ^ load64(b)) | (load64(&a->words[2]) ^ load64(&b->words[2])));
}

static __always_inline struct address address6(const struct in6_addr *in6)
{
	struct address address;
	store64(&address, load64(in6));
	store64(&address.words[2], load64(&in6->s6_addr32[2]));
	return address;
}

#endif
