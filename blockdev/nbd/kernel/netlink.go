package kernel

import (
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
)

// ack asks for an answer that says no more than that there was no error. An error comes unasked.
const ack = netlink.Acknowledge

// exchange sends a message to the driver and returns its answer. It waits as long as the kernel does; see errand.
//
// Each has a connection of its own. They are rare, and one that waits in the kernel would hold up the others on it.
func (h *host) exchange(m genetlink.Message, flags netlink.HeaderFlags) ([]genetlink.Message, error) {
	c, err := h.dial()
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	family, err := h.family(c)
	if err != nil {
		return nil, err
	}
	return c.Execute(m, family, netlink.Request|flags)
}
