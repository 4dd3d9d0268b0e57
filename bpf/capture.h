/*
 * Packets as they came in, one in so many, for the process to write to a file.
 */
#ifndef LONGHAUL_CAPTURE_H
#define LONGHAUL_CAPTURE_H

#include "maps.h"
#include "packet.h"

static __noinline void capture(struct xdp_md *ctx, const struct hop *hop)
{
	__u32 forward = hop->forward & FORWARD_MASK;
	if (settings.capture_forward != 0xffffffff && settings.capture_forward != forward)
		return;
	__u32 every = settings.capture;
	if (every > 1 && bpf_get_prandom_u32() % every)
		return;
	struct capture_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return;
	__u64 captured = frame_bytes(ctx);
	event->kind = EVENT_CAPTURE;
	event->ifindex = ctx->ingress_ifindex;
	event->time = bpf_ktime_get_ns();
	event->forward = forward;
	event->length = captured;
	event->reply = !!(hop->forward & HOP_REPLY);
	event->zero = 0;
	/* Not byte by byte: the verifier would follow each end of the loop to the end of the program. */
	if (captured > CAPTURE_BYTES)
		captured = CAPTURE_BYTES;
	event->captured = bpf_probe_read_kernel(event->bytes, captured, DATA(ctx)) ? 0 : captured;
	bpf_ringbuf_submit(event, 0);
}

#endif
