/*
 * The maps. Described as plain numbers (section "maps") and not as types, so that neither the object nor its loader needs BTF. Sizes of 1 are given by the process
 * before it loads. What the process writes often is mapped into its memory.
 */
#ifndef LONGHAUL_MAPS_H
#define LONGHAUL_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "layout.h"

struct map {
	__u32 type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 map_flags;
};

#define MAP(name, kind, key, value, flags)                                                                                             \
	struct map name SEC("maps") = { .type = BPF_MAP_TYPE_##kind, .key_size = key, .value_size = value, .max_entries = 1, .map_flags = flags }

MAP(listening, ARRAY, sizeof(__u32), sizeof(struct listener), BPF_F_MMAPABLE); /* 2^n */
MAP(places, LPM_TRIE, sizeof(struct place_key), sizeof(__u32), BPF_F_NO_PREALLOC);
MAP(ranges, LPM_TRIE, sizeof(struct range_key), sizeof(__u32), BPF_F_NO_PREALLOC);
MAP(access, LPM_TRIE, sizeof(struct access_key), sizeof(__u32), BPF_F_NO_PREALLOC);

MAP(forwards, ARRAY, sizeof(__u32), sizeof(__u64), BPF_F_MMAPABLE); /* index of the policy, 0: none */
MAP(policies, ARRAY, sizeof(__u32), sizeof(struct policy), BPF_F_MMAPABLE);
MAP(choices, ARRAY, sizeof(__u32), sizeof(__u64), BPF_F_MMAPABLE); /* index of the backend */
MAP(backends, ARRAY, sizeof(__u32), sizeof(struct backend), BPF_F_MMAPABLE);
MAP(sources, ARRAY, sizeof(__u32), sizeof(struct address), BPF_F_MMAPABLE);

MAP(titles, ARRAY, sizeof(__u32), sizeof(struct title), BPF_F_MMAPABLE);

MAP(flows4, ARRAY, sizeof(__u32), sizeof(struct flow4), BPF_F_MMAPABLE);
MAP(flows6, ARRAY, sizeof(__u32), sizeof(struct flow6), BPF_F_MMAPABLE);

/* Times at which the next unit would be in time: of packets and of bytes. */
struct arrival {
	__u64 packets;
	__u64 bytes;
};

struct client_key {
	__u32 forward;
	struct address address;
};

MAP(arrivals, ARRAY, sizeof(__u32), sizeof(struct arrival), 0);
MAP(clients, LRU_HASH, sizeof(struct client_key), sizeof(struct arrival), 0);

/* A datagram in fragments, and where its flow is. */
struct datagram_key {
	struct address source;
	struct address destination;
	__be32 id;
	__u32 zero;
};

struct led {
	__u32 place;
	__u32 ports;
};

MAP(fragments, LRU_HASH, sizeof(struct datagram_key), sizeof(struct led), 0);

MAP(counts, ARRAY, sizeof(__u32), sizeof(struct count), BPF_F_MMAPABLE); /* processor × forwards + forward */
MAP(reasons, ARRAY, sizeof(__u32), sizeof(__u64), BPF_F_MMAPABLE); /* processor × 32 + reason */

MAP(devices, ARRAY, sizeof(__u32), sizeof(struct device), BPF_F_MMAPABLE);
MAP(interfaces, HASH, sizeof(__u32), sizeof(__u32), 0); /* ifindex → its place in devices */
MAP(events, RINGBUF, 0, 0, 0);

/* Programs that go on where another one ended. */
enum program { PROGRAM_FORWARD, PROGRAM_OPEN, PROGRAM_ICMP, PROGRAM_FRAGMENT, PROGRAMS };
MAP(programs, PROG_ARRAY, sizeof(__u32), sizeof(__u32), 0);

/* Section .bss: mapped by the process. */
volatile struct settings settings;
/* Section .data: of the program alone. */
struct arrival budget __attribute__((section(".data"))) = { 1, 1 };

/* Section .rodata: written by the process before it loads. */
const volatile __u32 forwards_max = 1;
const volatile __u32 listening_mask = 0;
const volatile __u32 flows4_homes = 1;
const volatile __u32 flows6_homes = 1;

static __always_inline struct policy *policy_of(__u32 forward)
{
	__u32 *current = bpf_map_lookup_elem(&forwards, &forward);
	if (!current || !*current)
		return 0;
	__u32 at = *current;
	return bpf_map_lookup_elem(&policies, &at);
}

static __always_inline void count_reason(__u32 reason)
{
	__u32 index = bpf_get_smp_processor_id() * 32 + reason;
	__u64 *count = bpf_map_lookup_elem(&reasons, &index);
	if (count)
		*count += 1;
}

static __always_inline struct count *count_of(__u32 forward)
{
	__u32 index = bpf_get_smp_processor_id() * forwards_max + forward;
	return bpf_map_lookup_elem(&counts, &index);
}

/* Counts a client's packet that went nowhere. */
static __always_inline void count_refusal(int reason, __u32 forward)
{
	count_reason(reason & 31);
	struct count *count = count_of(forward);
	if (!count)
		return;
	if (reason == REASON_DENIED)
		count->denied++;
	else if (reason == REASON_LIMIT || reason == REASON_SOURCE_LIMIT)
		count->limited++;
	else
		count->refused++;
}

#endif
