/*
 * Whether a client's first packet opens a flow, and to which backend.
 */
#ifndef LONGHAUL_ADMIT_H
#define LONGHAUL_ADMIT_H

#include "maps.h"
#include "packet.h"
#include "rate.h"

struct admission {
	struct address client;
	struct address listener;
	struct address backend;
	__be16 client_port;
	__be16 listener_port;
	__be16 backend_port;
	__u16 port_first;
	__u32 ports;
	__u32 source;
	__u32 sources;
	__u32 forward;
	__u32 flags;
	__u64 hash;
};

/* fmix64 of MurmurHash3: ports and addresses differ in few bits, and at either end of the number. */
static __always_inline __u64 mix(__u64 x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	x ^= x >> 33;
	return x;
}

static __always_inline __u64 hash_address(const struct address *address, __u64 seed)
{
	seed = mix(seed ^ (((__u64)address->words[0] << 32) | address->words[1]));
	return mix(seed ^ (((__u64)address->words[2] << 32) | address->words[3]));
}

/* At half of all places taken, a chain of so many comes once in 10^9; what finds no place is refused to the process. */
#define LISTENER_PROBES 128

/* Whoever sends chooses neither what is in the table nor the seed: a quick hash does. */
static __always_inline __u32 absorbed(__u32 hash, __u32 word)
{
	hash = (hash ^ word) * 0x9e3779b1;
	return hash ^ hash >> 16;
}

/* The number + 1 of the forward that listens exactly there; 0: none. As src/forward/xdp/listener-table.ts has it. */
static __noinline __u32 find_exact(const struct address *address, __be16 port)
{
	__u32 hash = settings.seed;
	for (int i = 0; i < 4; i++)
		hash = absorbed(hash, address->words[i]);
	hash = absorbed(hash, port);
	for (__u32 n = 0; n < LISTENER_PROBES; n++) {
		__u32 place = (hash + n) & listening_mask;
		struct listener *listener = bpf_map_lookup_elem(&listening, &place);
		__u32 forward = listener ? *(volatile __u32 *)&listener->forward : 0;
		if (!forward)
			return 0;
		if (listener->port == port && same(&listener->address, address))
			return forward == LISTENER_GONE ? 0 : forward;
	}
	return 0;
}

/* The number + 1 of the forward that listens there; 0: none. */
static __always_inline __u32 find_listener(const struct address *address, __be16 port)
{
	__u32 forward = find_exact(address, port);
	if (forward || !(settings.flags & SETTING_RANGES))
		return forward;
	struct place_key place_key = { .bits = 128, .address = *address };
	__u32 *place = bpf_map_lookup_elem(&places, &place_key);
	if (!place)
		return 0;
	struct range_key range_key = { .bits = 48, .place = *place, .port = port };
	__u32 *range = bpf_map_lookup_elem(&ranges, &range_key);
	return range ? *range + 1 : 0;
}

/* Sources that no host has: RFC 1122 section 3.2.1.3, RFC 4291 section 2. */
static __always_inline int impossible(const struct address *client, __be16 port)
{
	if (!port)
		return 1;
	if (is_mapped(client)) {
		__u32 first = bpf_ntohl(client->words[3]) >> 24;
		return first == 0 || first == 127 || first >= 224;
	}
	__u32 first = bpf_ntohl(client->words[0]);
	if (first >> 24 == 0xff)
		return 1;
	/* unspecified, loopback, IPv4-compatible and mapped; link-local ones cannot be forwarded */
	return (first == 0 && !client->words[1]) || first >> 22 == 0xfe80 >> 6;
}

static __always_inline int allowed(const struct policy *policy, const struct address *client)
{
	if (!(policy->flags & POLICY_ACCESS))
		return 1;
	struct access_key key = { .bits = 160, .list = policy->access, .address = *client };
	__u32 *verdict = bpf_map_lookup_elem(&access, &key);
	if (!verdict)
		return !(policy->flags & POLICY_DENY);
	return *verdict == ACCESS_ALLOW;
}

/* Fills in what is left of the admission; answers 0, or the reason, negative. REASON_OTHER: nobody listens there. */
static __noinline int admit(struct admission *a)
{
	__u32 listener = find_listener(&a->listener, a->listener_port);
	if (!listener)
		return -REASON_OTHER;
	__u32 forward = listener - 1;
	a->forward = forward;
	struct policy *policy = policy_of(forward);
	if (!policy)
		return -REASON_OTHER;
	if (impossible(&a->client, a->client_port))
		return -REASON_SPOOFED;
	if (!allowed(policy, &a->client))
		return -REASON_DENIED;
	__u32 choices_count = policy->choices;
	if (!choices_count)
		return -REASON_BACKEND;
	__u64 seed = hash_address(&a->client, 1);
	a->hash = mix(seed ^ (((__u64)forward << 32) | ((__u64)a->client_port << 16) | a->listener_port));
	__u32 index = policy->choice + (__u32)(policy->flags & POLICY_BY_SOURCE ? seed : a->hash) % choices_count;
	__u32 *choice = bpf_map_lookup_elem(&choices, &index);
	if (!choice)
		return -REASON_BACKEND;
	index = *choice;
	struct backend *backend = bpf_map_lookup_elem(&backends, &index);
	if (!backend)
		return -REASON_BACKEND;
	a->backend = backend->address;
	a->source = backend->source;
	a->sources = backend->sources;
	a->backend_port = backend->port ? backend->port : a->listener_port;
	a->port_first = policy->port_first;
	a->ports = policy->ports;
	a->flags = policy->flags;
	if (!within_rate(&budget.packets, &settings.flows, 1))
		return -REASON_BUDGET;
	return 0;
}

/* Who a flow is between. */
struct ends {
	struct address client;
	struct address backend;
	struct address from; /* the address that the packet gets, and the next one */
	struct address to;
	__be16 backend_port;
	__be16 listener_port;
	__be16 to_port;
	__u16 zero;
};

/* Whether the only backend that there is is another one. */
static __always_inline int astray(const struct policy *policy, const struct ends *ends)
{
	if (!(policy->flags & POLICY_SINGLE))
		return 0;
	__u32 index = policy->choice;
	__u32 *choice = bpf_map_lookup_elem(&choices, &index);
	if (!choice)
		return 0;
	index = *choice;
	struct backend *backend = bpf_map_lookup_elem(&backends, &index);
	if (!backend)
		return 0;
	__be16 port = backend->port ? backend->port : ends->listener_port;
	return port != ends->backend_port || !same(&backend->address, &ends->backend);
}

/* Whether a flow that is there may stay, now that something changed; what of the policy is kept in the hop is renewed. */
static __noinline int readmit(const struct ends *ends, struct hop *hop)
{
	struct policy *policy = policy_of(hop->forward & FORWARD_MASK);
	if (!policy || astray(policy, ends))
		return -REASON_REMOVED;
	if (hop->forward & HOP_REPLY) {
		hop->forward = (hop->forward & ~HOP_SIP) | (policy->flags & POLICY_SIP ? HOP_SIP : 0);
		return 0;
	}
	if (!allowed(policy, &ends->client))
		return -REASON_DENIED;
	hop->forward = (hop->forward & ~HOP_LIMIT) | (policy->flags & (POLICY_LIMIT | POLICY_SOURCE_LIMIT) ? HOP_LIMIT : 0);
	return 0;
}

#endif
