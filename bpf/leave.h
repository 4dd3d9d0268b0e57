/*
 * The last step: MACs, VLAN tag and the way out.
 */
#ifndef LONGHAUL_LEAVE_H
#define LONGHAUL_LEAVE_H

#include "maps.h"
#include "packet.h"

/* Out by an interface: on the one it came from a frame is turned round, which costs least and needs no support by the driver of other interfaces. */
static __always_inline int out(struct xdp_md *ctx, __u32 ifindex)
{
	if (ifindex == ctx->ingress_ifindex && !(settings.flags & SETTING_REDIRECT))
		return XDP_TX;
	return bpf_redirect(ifindex, 0);
}

/* With a tag to be put on, taken off or changed; 0 when there is no room for it. */
static __noinline int retag(struct xdp_md *ctx, const struct hop *hop, const struct device *device, __u16 vlan)
{
	if (!vlan && bpf_xdp_adjust_head(ctx, -(int)sizeof(struct vlan_header)))
		return 0;
	if (vlan && !device->vlan && bpf_xdp_adjust_head(ctx, sizeof(struct vlan_header)))
		return 0;
	struct ethhdr *eth = DATA(ctx);
	struct vlan_header *tag = (void *)(eth + 1);
	if ((void *)(tag + 1) + sizeof(struct iphdr) > END(ctx))
		return 0;
	put_macs(eth, hop, device);
	int version = device->vlan ? *(__u8 *)(tag + 1) >> 4 : *(__u8 *)tag >> 4;
	__be16 proto = version == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	eth->h_proto = device->vlan ? bpf_htons(ETH_P_8021Q) : proto;
	if (device->vlan) {
		tag->tag = bpf_htons(device->vlan);
		tag->proto = proto;
	}
	return 1;
}

static __always_inline int leave(struct xdp_md *ctx, struct ethhdr *eth, const struct hop *hop, __u16 vlan)
{
	__u32 index = hop->device;
	struct device *device = bpf_map_lookup_elem(&devices, &index);
	if (!device)
		return XDP_DROP;
	if (vlan == device->vlan) {
		put_macs(eth, hop, device);
	} else if (!retag(ctx, hop, device, vlan)) {
		count_reason(REASON_HEADROOM);
		return XDP_DROP;
	}
	return out(ctx, device->ifindex);
}

#endif
