/*
 * Packets as they came in, for the process: one in so many to be written to a file, and those of forwards whose SIP it reads.
 */
#ifndef LONGHAUL_CAPTURE_H
#define LONGHAUL_CAPTURE_H

#include "admit.h"
#include "maps.h"
#include "packet.h"

/* Room in the ring is asked for by a constant. */
static __always_inline void put_event(struct xdp_md *ctx, const struct hop *hop, const struct ends *ends, __u32 kind, const __u64 most)
{
	struct capture_event *event = bpf_ringbuf_reserve(&events, sizeof(*event) + most, 0);
	if (!event) {
		count_reason(REASON_UNCAPTURED);
		return;
	}
	__u64 captured = frame_bytes(ctx);
	event->kind = kind;
	event->ifindex = ctx->ingress_ifindex;
	event->time = bpf_ktime_get_ns();
	event->forward = hop->forward & FORWARD_MASK;
	event->length = captured;
	event->to = ends->to;
	event->to_port = ends->to_port;
	event->reply = !!(hop->forward & HOP_REPLY);
	event->zero = 0;
	/* Not byte by byte: the verifier would follow each end of the loop to the end of the program. */
	if (captured > most)
		captured = most;
	event->captured = bpf_probe_read_kernel(event + 1, captured, DATA(ctx)) ? 0 : captured;
	bpf_ringbuf_submit(event, 0);
}

static __noinline void record(struct xdp_md *ctx, const struct hop *hop, const struct ends *ends, __u32 kind)
{
	put_event(ctx, hop, ends, kind, CAPTURE_BYTES);
}

static __noinline void record_whole(struct xdp_md *ctx, const struct hop *hop, const struct ends *ends, __u32 kind)
{
	put_event(ctx, hop, ends, kind, WHOLE_BYTES);
}

static __noinline void capture(struct xdp_md *ctx, const struct hop *hop, const struct ends *ends)
{
	if (settings.capture_forward != 0xffffffff && settings.capture_forward != (hop->forward & FORWARD_MASK))
		return;
	__u32 every = settings.capture;
	if (every > 1 && bpf_get_prandom_u32() % every)
		return;
	if (settings.flags & SETTING_WHOLE)
		record_whole(ctx, hop, ends, EVENT_CAPTURE);
	else
		record(ctx, hop, ends, EVENT_CAPTURE);
}

#endif
