// Package kernel makes a block device, /dev/nbdN, of a connection to an NBD server: it speaks to Linux's nbd driver.
//
// The driver is an NBD client that lives in the kernel. It is told over generic netlink to take a socket, and from then on
// sends requests on it and reads replies; there is no handshake, and no thread of ours waits in the kernel. We serve the other end
// of that socket like any client's. The order matters:
//
//	kernel.Prepare()                   // first of all in main; see below
//	dev, conn, err := kernel.Connect(ctx, spec)
//	server.Transmit("disk", conn)      // first of all: somebody may already have opened the node and be reading
//	warnings, err := dev.Start(ctx)    // sets the queue; then the node is there, and a read of it is answered
//	err = dev.Announce(ctx, link)      // and so is the name that udev makes, where there is an udev
//
// And down again:
//
//	err = dev.FlushUnused(ctx)         // refuses with the names of the holders; writes what the host holds back
//	err = dev.Disconnect(ctx)          // while the server still answers: what is in flight fails otherwise
//
// # What a device is like
//
// It has one socket, and no timeout of its own: a request is never sent again while its socket lives, however long it takes. With
// two sockets, or with a timeout, the driver sends a request again while the first copy may still be carried out, so an
// older write could land on a newer one. What is slow or lost is our affair, not the driver's.
//
// When the socket dies, the device stays, and new I/O waits for [Spec.DeadConnTimeout]; then it fails. [Device.Reconnect] gives the
// device a fresh socket, and what was in flight on the dead one is sent again. That is how a daemon is restarted under a mounted
// file system: [Find] finds by [Spec.Backend] what an earlier process left behind.
//
// The driver looks at what was in flight only when the block layer's timer goes off, queue/io_timeout after the request was sent, which
// [Device.Tune] therefore sets to 3 s. If nobody reconnects, that I/O never ends, DeadConnTimeout or not: it takes a Reconnect or
// a Disconnect. (Tried on Linux 6.12; tests in this package show it.)
//
// Flags cannot change while a device is connected; the size can ([Device.Resize]).
//
// # What waits for what
//
// The kernel carries out one nbd message at a time, for all devices of the host, in the thread that sends it. One that waits
// holds up every other Connect, Reconnect and Disconnect, so it must never wait for what we hold back ourselves:
//
//   - Resize, and what Tune writes, freeze the queue: they wait until all I/O in flight is answered. Not while the paths
//     are down, and never on the loop that answers it.
//   - Disconnect waits until the socket takes one more request. With a server that reads no more, close its connection first.
//
// Where ctx ends, the caller is let go with an error. The message is not recalled: it is carried out when its turn comes.
//
// # Errands
//
// No signal ends such a wait, and a process that is killed is not dead as long as one of its threads waits. A server that waits for what
// it has to answer itself would then be neither alive nor dead, and keep its end of the device's connection: no successor could ever take the
// device over. So all that may wait is done by a process of its own, an errand, which has nothing of the server's open. A program makes that
// possible with [Prepare], in its first line: an errand is the program itself, started once more. Errands are few, two to
// connect a device and two to end it, and cost five milliseconds each; none is on the way of I/O.
//
// Who looks for them finds hawser-flush, or what else they do, with the device that they do it for. One whose caller was let go, or is
// dead, ends when the kernel lets it. Until then it has the device open, and counts as a holder unless it is our own.
//
// In a program that does not call Prepare a thread does the same, and it must not be killed meanwhile.
//
// # Goroutines
//
// Each call that may wait in the kernel has a goroutine of its own, which waits with it, or for its errand, and is gone when that is over. It
// cleans up after itself when its caller is gone: what it had opened is closed, what it had connected is disconnected.
// There are no others.
//
// # What it needs
//
// CAP_SYS_ADMIN in the host's user namespace, and the nbd module, which Connect loads with modprobe. Linux 5.14 is the first that
// knows a backend. Older drivers listen in the host's network namespace only, 6.12's in all.
package kernel
