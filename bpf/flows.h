/*
 * The flow tables: open addressing with linear probing in arrays whose memory the process sees as well. A flow's packet costs one look-up, which is a line of memory
 * whose address is known as soon as the packet's header is: no pointer is followed and no function of the kernel called.
 *
 *   hash(addresses, ports, seed) · homes / 2^32 ─► place, and on to the first EMPTY one, PROBES at most
 *
 * A place is claimed by exchanging its state, looked over once more for who else may have come with the same key, and LIVE when all of it is written.
 */
#ifndef LONGHAUL_FLOWS_H
#define LONGHAUL_FLOWS_H

#include <linux/errno.h>
#include "maps.h"
#include "packet.h"

/* With four of seven places taken a chain of so many comes once in 10^6; a flow that finds no place is refused and counted. */
#define PROBES 64
/* A source port whose chain is longer than this counts as taken: another one is tried. */
#define PORT_PROBES 5
/* No place of a table. */
#define NOWHERE 0xffffffff

struct key4 {
	__u64 addresses; /* as two words in a row: source, destination */
	__u32 ports;
};

struct key6 {
	struct address addresses[2];
	__u32 ports;
};

static __always_inline struct key4 key4(__be32 saddr, __be32 daddr, __be16 sport, __be16 dport)
{
	struct key4 key = { (__u64)daddr << 32 | saddr, (__u32)dport << 16 | sport };
	return key;
}

/* Multiplication carries upwards, the shift brings it down again: what differs anywhere differs in the upper half in the end. */
static __always_inline __u64 scramble(__u64 x)
{
	x *= 0x9fb21c651e98df25ULL;
	return x ^ x >> 32;
}

/* What addresses are scrambled with: the seed, and ports spread over all of it. */
static __always_inline __u64 sown(__u32 ports)
{
	return settings.seed ^ ports * 0xff51afd7ed558ccdULL;
}

static __always_inline __u32 harvested(__u64 x)
{
	return x * 0xd6e8feb86659fd93ULL >> 32;
}

static __always_inline __u32 hash4(const struct key4 *key)
{
	return harvested(scramble(key->addresses ^ sown(key->ports)));
}

static __always_inline __u32 hash6(const struct key6 *key)
{
	__u64 x = sown(key->ports);
	for (int i = 0; i < 2; i++) {
		const __u32 *words = key->addresses[i].words;
		x = scramble(x ^ load64(words));
		x = scramble(x ^ load64(words + 2));
	}
	return harvested(x);
}

/*
 * Where a key's chain begins, and what follows there. As many beginnings as flows ask for and not a power of two: tables as small as they can be stay in what a processor's
 * caches and its page tables' hold. PROBES places more than that, so that no chain goes round the end: a branch in each step is more than the verifier looks at.
 */
static __always_inline __u32 nth4(__u32 hash, __u32 n)
{
	return ((__u64)hash * flows4_homes >> 32) + n;
}

static __always_inline __u32 nth6(__u32 hash, __u32 n)
{
	return ((__u64)hash * flows6_homes >> 32) + n;
}

static __always_inline struct flow4 *place4(__u32 place)
{
	return bpf_map_lookup_elem(&flows4, &place);
}

static __always_inline struct flow6 *place6(__u32 place)
{
	return bpf_map_lookup_elem(&flows6, &place);
}

static __always_inline int is4(const struct flow4 *flow, const struct key4 *key)
{
	const __u64 *words = (const void *)flow;
	return words[0] == key->addresses && words[1] == ((__u64)PLACE_LIVE << 32 | key->ports);
}

static __always_inline int is6(const struct flow6 *flow, const struct key6 *key)
{
	return *(const __u64 *)flow->ports == ((__u64)PLACE_LIVE << 32 | key->ports) && same(&flow->addresses[0], &key->addresses[0]) &&
	       same(&flow->addresses[1], &key->addresses[1]);
}

/* Its place, NOWHERE when there is none. */
static __noinline __u32 locate4(const struct key4 *key)
{
	__u32 hash = hash4(key);
	for (__u32 n = 0; n < PROBES; n++) {
		struct flow4 *flow = place4(nth4(hash, n));
		if (!flow || flow->state == PLACE_EMPTY)
			return NOWHERE;
		if (is4(flow, key))
			return nth4(hash, n);
	}
	return NOWHERE;
}

static __always_inline struct flow4 *search4(const struct key4 *key)
{
	return place4(locate4(key));
}

/* Its place, NOWHERE when there is none. */
static __noinline __u32 locate6(const struct key6 *key)
{
	__u32 hash = hash6(key);
	for (__u32 n = 0; n < PROBES; n++) {
		struct flow6 *flow = place6(nth6(hash, n));
		if (!flow || flow->state == PLACE_EMPTY)
			return NOWHERE;
		if (is6(flow, key))
			return nth6(hash, n);
	}
	return NOWHERE;
}

static __always_inline struct flow6 *search6(const struct key6 *key)
{
	return place6(locate6(key));
}

/* Most are where they belong. */
static __always_inline struct flow4 *find4(const struct key4 *key)
{
	struct flow4 *flow = place4(nth4(hash4(key), 0));
	return flow && is4(flow, key) ? flow : search4(key);
}

static __always_inline struct flow6 *find6(const struct key6 *key)
{
	struct flow6 *flow = place6(nth6(hash6(key), 0));
	return flow && is6(flow, key) ? flow : search6(key);
}

static __always_inline int reusable(__u32 state)
{
	return state == PLACE_EMPTY || state >> 1 == PLACE_FREE >> 1;
}

/* Whether the key is surely nobody's. */
static __noinline int vacant4(const struct key4 *key)
{
	__u32 hash = hash4(key);
	for (__u32 n = 0; n < PORT_PROBES; n++) {
		struct flow4 *flow = place4(nth4(hash, n));
		if (!flow || is4(flow, key) || flow->state == (hash | PLACE_BUSY))
			return 0;
		if (flow->state == PLACE_EMPTY)
			return 1;
	}
	return 0;
}

static __noinline int vacant6(const struct key6 *key)
{
	__u32 hash = hash6(key);
	for (__u32 n = 0; n < PORT_PROBES; n++) {
		struct flow6 *flow = place6(nth6(hash, n));
		if (!flow || is6(flow, key) || flow->state == (hash | PLACE_BUSY))
			return 0;
		if (flow->state == PLACE_EMPTY)
			return 1;
	}
	return 0;
}

/* Whether another place than `mine` has the key, or is being given it. */
static __noinline int taken4(const struct key4 *key, __u32 mine)
{
	__u32 hash = hash4(key);
	for (__u32 n = 0; n < PROBES; n++) {
		__u32 place = nth4(hash, n);
		struct flow4 *flow = place4(place);
		__u32 state = flow ? *(volatile __u32 *)&flow->state : PLACE_EMPTY;
		if (state == PLACE_EMPTY)
			return 0;
		if (place != mine && (state == (hash | PLACE_BUSY) || is4(flow, key)))
			return 1;
	}
	return 0;
}

/* The first place of a chain that can be used; NOWHERE when there is none. */
static __noinline __u32 usable4(__u32 hash)
{
	for (__u32 n = 0; n < PROBES; n++) {
		__u32 place = nth4(hash, n);
		struct flow4 *flow = place4(place);
		if (flow && reusable(flow->state))
			return place;
	}
	return NOWHERE;
}

/* 0 and the number of a place that is now BUSY with the key; -EEXIST: the key has one; -E2BIG: there is none; -EAGAIN: another processor was quicker. */
static __noinline int claim4(const struct key4 *key, __u32 *at)
{
	if (taken4(key, NOWHERE))
		return -EEXIST;
	__u32 hash = hash4(key), place = usable4(hash);
	struct flow4 *flow = place4(place);
	if (!flow)
		return -E2BIG;
	__u32 before = flow->state;
	if (!reusable(before) || __sync_val_compare_and_swap(&flow->state, before, hash | PLACE_BUSY) != before)
		return -EAGAIN;
	if (taken4(key, place)) {
		__sync_lock_test_and_set(&flow->state, PLACE_RESTING);
		return -EEXIST;
	}
	*at = place;
	return 0;
}

/* Whether another place than `mine` has the key, or is being given it. */
static __noinline int taken6(const struct key6 *key, __u32 mine)
{
	__u32 hash = hash6(key);
	for (__u32 n = 0; n < PROBES; n++) {
		__u32 place = nth6(hash, n);
		struct flow6 *flow = place6(place);
		__u32 state = flow ? *(volatile __u32 *)&flow->state : PLACE_EMPTY;
		if (state == PLACE_EMPTY)
			return 0;
		if (place != mine && (state == (hash | PLACE_BUSY) || is6(flow, key)))
			return 1;
	}
	return 0;
}

/* The first place of a chain that can be used; NOWHERE when there is none. */
static __noinline __u32 usable6(__u32 hash)
{
	for (__u32 n = 0; n < PROBES; n++) {
		__u32 place = nth6(hash, n);
		struct flow6 *flow = place6(place);
		if (flow && reusable(flow->state))
			return place;
	}
	return NOWHERE;
}

/* 0 and the number of a place that is now BUSY with the key; -EEXIST: the key has one; -E2BIG: there is none; -EAGAIN: another processor was quicker. */
static __noinline int claim6(const struct key6 *key, __u32 *at)
{
	if (taken6(key, NOWHERE))
		return -EEXIST;
	__u32 hash = hash6(key), place = usable6(hash);
	struct flow6 *flow = place6(place);
	if (!flow)
		return -E2BIG;
	__u32 before = flow->state;
	if (!reusable(before) || __sync_val_compare_and_swap(&flow->state, before, hash | PLACE_BUSY) != before)
		return -EAGAIN;
	if (taken6(key, place)) {
		__sync_lock_test_and_set(&flow->state, PLACE_RESTING);
		return -EEXIST;
	}
	*at = place;
	return 0;
}

/* Writes a flow into the place that was claimed for its key; from then on packets find it. */
static __noinline void publish4(__u32 at, const struct key4 *key, const struct flow4 *flow)
{
	struct flow4 *mine = place4(at);
	if (!mine)
		return;
	*(__u64 *)mine->addresses = key->addresses;
	*(__u32 *)mine->ports = key->ports;
	*(__u64 *)&mine->saddr = *(const __u64 *)&flow->saddr;
	*(__u64 *)&mine->sport = *(const __u64 *)&flow->sport;
	mine->hop = flow->hop;
	settings.used4 = 1;
	__sync_lock_test_and_set(&mine->state, PLACE_LIVE);
}

static __noinline void publish6(__u32 at, const struct key6 *key, const struct flow6 *flow)
{
	struct flow6 *mine = place6(at);
	if (!mine)
		return;
	mine->addresses[0] = key->addresses[0];
	mine->addresses[1] = key->addresses[1];
	*(__u32 *)mine->ports = key->ports;
	mine->saddr = flow->saddr;
	mine->daddr = flow->daddr;
	*(__u64 *)&mine->sport = *(const __u64 *)&flow->sport;
	mine->hop = flow->hop;
	settings.used6 = 1;
	__sync_lock_test_and_set(&mine->state, PLACE_LIVE);
}

static __always_inline void end(__u32 *state)
{
	__sync_val_compare_and_swap(state, PLACE_LIVE, PLACE_DEAD);
}

/* Both ways of a flow that may not go on. */
static __noinline void end4(struct flow4 *flow)
{
	struct key4 key = key4(flow->daddr, flow->saddr, flow->dport, flow->sport);
	struct flow4 *other = search4(&key);
	if (other)
		end(&other->state);
	end(&flow->state);
}

static __noinline void end6(struct flow6 *flow)
{
	struct key6 key = { .addresses = { flow->daddr, flow->saddr }, .ports = (__u32)flow->sport << 16 | flow->dport };
	struct flow6 *other = search6(&key);
	if (other)
		end(&other->state);
	end(&flow->state);
}

#endif
