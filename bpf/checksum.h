/*
 * Incremental checksums, RFC 1624: HC' = ~(~HC + ~m + m'). A flow's ~m + m' is the same for all its packets and computed once.
 */
#ifndef LONGHAUL_CHECKSUM_H
#define LONGHAUL_CHECKSUM_H

#include <linux/types.h>
#include "layout.h"

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)sum;
}

/* The checksum with delta added to what it sums. */
static __always_inline __u16 checksum_add(__u16 checksum, __u16 delta)
{
	__u32 sum = (__u16)~checksum + (__u32)delta;
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

/* UDP's: 0 says that there is none. */
static __always_inline __u16 udp_checksum_add(__u16 checksum, __u16 delta)
{
	__u16 result = checksum_add(checksum, delta);
	return result ? result : 0xffff;
}

/* ~m + m' of a 32-bit word, not folded. */
static __always_inline __u64 delta32(__be32 from, __be32 to)
{
	return (__u64)(__u32)~from + to;
}

static __always_inline __u64 delta16(__be16 from, __be16 to)
{
	return (__u64)(__u16)~from + to;
}

static __always_inline __u64 delta128(const struct address *from, const struct address *to)
{
	__u64 sum = 0;
	for (int i = 0; i < 4; i++)
		sum += delta32(from->words[i], to->words[i]);
	return sum;
}

#endif
