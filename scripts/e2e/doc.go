// Package e2e tests the hawser program against real counterparts: tgt as the target, fio, nbdinfo, nbdcopy
// and qemu-io as the clients. Each test starts its own of each, on loopback and on ports that are free, and
// ends them.
//
// `go test -short` leaves the tests out; otherwise a program that is missing is a failure. HAWSER_TEST_LONG=1
// asks for their long form. With -race the program under test is built with the race detector too.
package e2e
