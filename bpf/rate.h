/*
 * Limits by the generic cell rate algorithm (ITU-T I.371): one number a limit, the time at which the next unit would be in time.
 */
#ifndef LONGHAUL_RATE_H
#define LONGHAUL_RATE_H

#include "maps.h"

#define CAS_TRIES 4

/* Whether so many units may pass now; if so they are charged. Where two processors meet, one passes uncharged. */
static __noinline int within(__u64 *arrival, __u64 cost, __u64 burst)
{
	__u64 now = bpf_ktime_get_ns();
	__u64 before = *(volatile __u64 *)arrival;
	__u64 due = before > now ? before : now;
	if (due - now > burst)
		return 0;
	__sync_val_compare_and_swap(arrival, before, due + cost);
	return 1;
}

static __always_inline int within_rate(__u64 *arrival, const volatile struct rate *rate, __u64 units)
{
	__u64 cost = rate->cost;
	return !cost || within(arrival, (cost * units) >> 16, rate->burst);
}

static __noinline int within_limits(__u32 forward, const struct address *client, __u64 bytes)
{
	struct policy *policy = policy_of(forward);
	if (!policy)
		return 0;
	if (policy->flags & POLICY_SOURCE_LIMIT) {
		struct client_key key = { .forward = forward, .address = *client };
		struct arrival *arrival = bpf_map_lookup_elem(&clients, &key);
		if (!arrival) {
			struct arrival first = {};
			bpf_map_update_elem(&clients, &key, &first, BPF_NOEXIST);
			arrival = bpf_map_lookup_elem(&clients, &key);
		}
		if (arrival && (!within_rate(&arrival->packets, &policy->source_packets, 1) || !within_rate(&arrival->bytes, &policy->source_bytes, bytes)))
			return -REASON_SOURCE_LIMIT;
	}
	if (policy->flags & POLICY_LIMIT) {
		struct arrival *arrival = bpf_map_lookup_elem(&arrivals, &forward);
		if (arrival && (!within_rate(&arrival->packets, &policy->packets, 1) || !within_rate(&arrival->bytes, &policy->bytes, bytes)))
			return -REASON_LIMIT;
	}
	return 0;
}

#endif
