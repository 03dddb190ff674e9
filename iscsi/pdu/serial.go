package pdu

// Serial is a sequence number that wraps: CmdSN, StatSN, DataSN, R2TSN and those that
// are expected or allowed next. Order is RFC 1982's serial arithmetic with SERIAL_BITS
// 32, so use the methods: the operators < and > compile, and are wrong once a counter
// has wrapped. == and != are right.
//
// Of two numbers exactly 2^31 apart neither is the smaller one. iSCSI's windows are far
// narrower than that (RFC 7143 4.2.2.1).
type Serial uint32

// Less reports whether s comes before o.
func (s Serial) Less(o Serial) bool { return int32(o-s) > 0 }

// LessEq reports whether s comes before o or is o.
func (s Serial) LessEq(o Serial) bool { return int32(o-s) >= 0 }

// Add returns the number n steps after s. n must be below 2^31.
func (s Serial) Add(n uint32) Serial { return s + Serial(n) }

// Sub returns the number of steps from other to s, negative if s comes before other.
func (s Serial) Sub(other Serial) int32 { return int32(s - other) }

// Next returns the number after s.
func (s Serial) Next() Serial { return s + 1 }
