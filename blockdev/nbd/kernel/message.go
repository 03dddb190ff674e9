package kernel

import (
	"encoding/binary"
	"fmt"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
)

// The driver's generic netlink family, as in include/uapi/linux/nbd-netlink.h.
const (
	familyName    = "nbd"
	familyVersion = 1
)

// Commands.
const (
	cmdConnect     = 1
	cmdDisconnect  = 2
	cmdReconfigure = 3
)

// Attributes. There is a TIMEOUT too, number 4. It stays out of all messages: a value makes the driver send requests again that
// are still being carried out, and 0 in a RECONFIGURE sets queue/io_timeout back to 30 s.
const (
	attrIndex           = 1  // u32
	attrSize            = 2  // u64, bytes
	attrBlockSize       = 3  // u64, bytes
	attrServerFlags     = 5  // u64
	attrSockets         = 7  // nested: sockItems
	attrDeadConnTimeout = 8  // u64, seconds
	attrBackend         = 10 // string

	sockItem = 1 // nested: one sockFD
	sockFD   = 1 // u32
)

// connectMessage asks for a device on a socket.
func connectMessage(s Spec, fd int) genetlink.Message {
	return message(cmdConnect, func(ae *netlink.AttributeEncoder) {
		if s.Index != AnyIndex {
			ae.Uint32(attrIndex, uint32(s.Index))
		}
		ae.Uint64(attrSize, s.Size)
		ae.Uint64(attrBlockSize, uint64(s.BlockSize))
		ae.Uint64(attrServerFlags, s.Flags)
		socket(ae, fd)
		ae.Uint64(attrDeadConnTimeout, s.deadSeconds())
		ae.String(attrBackend, s.Backend)
	})
}

// reconnectMessage gives a device a fresh socket for its dead one.
func reconnectMessage(index int, s Spec, fd int) genetlink.Message {
	return message(cmdReconfigure, func(ae *netlink.AttributeEncoder) {
		ae.Uint32(attrIndex, uint32(index))
		socket(ae, fd)
		ae.Uint64(attrDeadConnTimeout, s.deadSeconds())
		ae.String(attrBackend, s.Backend)
	})
}

// resizeMessage changes the size.
func resizeMessage(index int, backend string, size uint64) genetlink.Message {
	return message(cmdReconfigure, func(ae *netlink.AttributeEncoder) {
		ae.Uint32(attrIndex, uint32(index))
		ae.Uint64(attrSize, size)
		ae.String(attrBackend, backend)
	})
}

// disconnectMessage ends a device.
func disconnectMessage(index int) genetlink.Message {
	return message(cmdDisconnect, func(ae *netlink.AttributeEncoder) {
		ae.Uint32(attrIndex, uint32(index))
	})
}

func socket(ae *netlink.AttributeEncoder, fd int) {
	ae.Nested(attrSockets, func(items *netlink.AttributeEncoder) error {
		items.Nested(sockItem, func(item *netlink.AttributeEncoder) error {
			item.Uint32(sockFD, uint32(fd))
			return nil
		})
		return nil
	})
}

// message encodes a command. Attributes are in the machine's own byte order.
func message(command uint8, attributes func(*netlink.AttributeEncoder)) genetlink.Message {
	ae := netlink.NewAttributeEncoder()
	ae.ByteOrder = binary.NativeEndian
	attributes(ae)
	data, err := ae.Encode()
	if err != nil {
		panic("nbd: a message that cannot be encoded: " + err.Error()) // an attribute over 64 KiB, which validate refused
	}
	return genetlink.Message{Header: genetlink.Header{Command: command, Version: familyVersion}, Data: data}
}

// connectedIndex is the number in the answer to CONNECT.
func connectedIndex(answer []genetlink.Message) (int, error) {
	for _, m := range answer {
		if m.Header.Command != cmdConnect {
			continue
		}
		ad, err := netlink.NewAttributeDecoder(m.Data)
		if err != nil {
			return 0, fmt.Errorf("the answer to CONNECT: %w", err)
		}
		ad.ByteOrder = binary.NativeEndian
		for ad.Next() {
			if ad.Type() == attrIndex {
				return int(ad.Uint32()), ad.Err()
			}
		}
	}
	return 0, fmt.Errorf("the answer to CONNECT names no device")
}
