// Package sim is a world in memory for the planes of hawser: the other [loop.Env]. The very code that runs on the kernel's sockets
// and clock runs here on simulated ones, in one thread and in virtual time. What happens in which order is chosen by a seed.
// One seed is one schedule: the same test with the same seed takes the same course, and hours of it pass in microseconds.
//
// # A test
//
//	func TestRetry(t *testing.T) {
//		sim.Each(t, 100, func(t *testing.T, w *sim.World) {
//			l := w.NewLoop(loop.Config{})
//			ln, err := w.Listen("10.0.0.1:3260")
//			...
//			err = w.Do(func() { // the body is a task: it may block
//				c, err := w.Dial(ctx, "", "10.0.0.1:3260")
//				...
//				w.Link("10.0.0.1:3260").Stall()
//				w.Sleep(30 * time.Second)
//				...
//			})
//			...
//		})
//	}
//
// [Each] runs the test in many worlds, says which seed failed, and closes each world: a task, connection or listener that is left
// fails the test. To run one seed again: -sim.seed=N. To run many: -sim.seeds=N. To see every step: -sim.trace.
//
// # What runs
//
//   - Tasks are the control plane: goroutines started by [World.Go] or [World.Do]. They are coroutines: one runs until it parks, and
//     nothing else runs meanwhile. They park in Gate.Wait, Loop.Await, [World.Sleep], [World.Dial], Accept, and in Read and Write.
//   - Loops made by [World.NewLoop] are turned in place, without a switch of goroutines, whenever they have a ready socket, a
//     post, or a timer that is due. Nobody calls Run on them.
//   - The network's deliveries, and deadlines.
//
// [World.Run] and [World.Do] are the scheduler: while something can be done, the seed chooses what. When nothing can, time goes on
// to the next event. Nothing that runs takes time; only waiting does. When nothing will ever happen again, or a limit has
// passed, or there is no end of steps, they fail with a [StuckError], which tells what everything waits for,
// with stacks.
//
// # What code may do here
//
// The rules are those of [loop.Env]: goroutines by Env.Go, waiting by a Gate or on a connection, the time from Env.Time. Beyond that:
//
//   - A task that waits for another by a channel, a mutex or a sync.WaitGroup stops the world for good: nothing else runs
//     while it waits. Use a Gate. So never hold a mutex over anything that parks.
//   - Deadlines are set by SetDeadline, from Env.Time. The world begins in the year 2100, so a deadline made with time.Now has
//     passed already.
//   - Contexts are for cancellation, from within the world; their own deadlines run on the real clock. What package
//     context runs in goroutines of its own (AfterFunc) may open a gate or post to a loop, safely but at no determined moment.
//   - Ranging over a map, or a select with several ready cases, is not chosen by the seed, and [World.Hash] will differ.
//
// # The network
//
// [World.Listen] and [World.Dial] give a net.Listener and net.Conns of type *[Conn]; [World.Pair] gives two joined ends. Either end
// may stay with a task or be adopted by a loop. They behave as TCP does on Linux:
//
//   - bytes arrive in order, after a latency and a random jitter, in segments that the seed cuts anew ([Net])
//   - reads and writes are short at the seed's whim, with a liking for the first 64 bytes, where headers are cut
//   - what is written and not read fills a bounded buffer, which then pushes back
//   - Close sends a FIN after the data, or a RST if something had arrived unread; data that comes to a closed end is answered with a RST
//   - Abort sends a RST: of what was under way the seed chooses how much still arrives, and what the peer has not read when the
//     RST comes is lost. From then on its reads and writes give syscall.ECONNRESET.
//
// Unlike TCP's, a connection never dies of silence by itself.
//
// # Faults
//
// [World.Link] is the way to an address. Stall makes it silent, in one direction or both: what is sent is held, an abort too,
// and dials wait. Reset breaks all its connections and refuses new ones. Up ends that; what was held arrives within 200 ms.
// [World.Pause] keeps a loop from turning, as an overloaded host does.
//
// # Seeds
//
// A seed also draws the character of the world: latency, jitter, buffers, how often calls are short. A test that needs a certain
// network sets [World.Net]. Workloads take their numbers from [World.Rand].
package sim
