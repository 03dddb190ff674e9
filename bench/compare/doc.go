// Compare puts hawser beside qemu-nbd with libiscsi: the same fio jobs through both, against the same
// embedded target, interleaved in one run. It prints IOPS, bandwidth, latency, the bridge's CPU time, the
// ratios, and whether the ratios reach the floors. bench/README.md says how to read it.
package main
