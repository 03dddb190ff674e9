// Package nbd serves block devices to NBD clients: the kernel, qemu, libnbd, fio.
//
// A [Server] has some [Export]s, each a blockdev.Device under a name, and belongs to one loop. Clients come by [Server.Serve], on
// unix or TCP listeners, or one at a time by [Server.ServeConn]:
//
//	s, err := nbd.New(l, arena, []nbd.Export{{Name: "disk", Device: dev}}, nbd.Config{})
//	go s.Serve(listener)
//	...
//	s.Close(ctx)   // then dev.Close(ctx)
//
// # The handshake
//
// It is control plane: straight-line code that blocks, one goroutine a client (started with Env.Go), bounded in time, options and
// bytes. Fixed newstyle; GO, INFO, LIST, ABORT and EXPORT_NAME. Structured replies and TLS are not supported and said so. Then the
// connection is the loop's.
//
// # Transmission
//
// recv.go, command.go and send.go begin with the way that a request takes. No payload byte is copied in userspace: a WRITE is
// received to where it stays until the device has completed it, and a READ goes out of the memory that the device lends.
// Nothing is allocated per request once a connection has reached its depth.
//
// # What is promised
//
//   - FLUSH is always offered, and covers every write that was answered before, on all connections: hence CAN_MULTI_CONN.
//   - FUA is always offered. A device without FUA of its own gets a write and then a flush, and so does every one for TRIM and
//     WRITE_ZEROES.
//   - TRIM, FAST_ZERO, READ_ONLY and ROTATIONAL are as the device says. WRITE_ZEROES is always offered.
//   - A request that makes no sense is answered with an error and the connection goes on; a WRITE's payload is skipped. Only a
//     header without the magic ends the connection: its next request could be anywhere.
//   - A request larger than the device takes is cut, and fails as a whole.
//   - Replies come in the order in which the device completes.
//   - Requests of a client that vanished are finished. Its replies are dropped.
//
// # Memory
//
// What is in flight is bounded in bytes for each export ([Config.Budget]), and in requests for each connection ([Config.Depth]).
// When there is no room a connection stops reading, and the socket pushes back; room is given in the order in which it was asked
// for. A WRITE gets all of it when its header is seen, so two large WRITEs never wait for each other. A client that does not read
// its replies may use up the budget for READs, and one that stops within a large WRITE that for WRITEs; but each connection has
// some room of its own (1 MiB to read, 5 chunks to write), so the others go on.
//
// A chunk that is received into is held until all requests in it are answered, and a READ that waits for a slow client holds the
// chunks that its segments lie in, however little of them. [Config.ArenaSize] is what an export needs to keep out of the others'
// way. With less it works, and they wait for one another. What else takes chunks from the arena, such as the receive side of a
// session, needs its own on top, or it waits for WRITEs that wait for it.
//
// # Goroutines
//
//   - Serve runs in its caller's and ends with the listener or the server.
//   - One for each client in the handshake. It ends with the handshake, by the timeout at the latest, or by Close.
//   - Everything else is on the loop.
package nbd
