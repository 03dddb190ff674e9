// Package fio runs fio against an NBD socket and reads its report.
//
// A [Job] is one kind of load; [Job.Run] is one measurement of it. The load is made as light as fio can: one
// thread, no random map, no scrambling of the data that is written. What is measured is what lies behind
// the socket.
package fio
