// Package proc runs the programs that end-to-end tests and comparisons are made of: it starts them, waits
// for the line that says they are ready, and ends exactly what it started, by process id.
//
// A [Process] has one goroutine, which waits for its end. A process started here is killed when the
// program that started it dies, so an interrupted test leaves nothing behind.
package proc
