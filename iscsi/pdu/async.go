package pdu

// AsyncEvent is what an Async Message tells (RFC 7143 11.9.1).
type AsyncEvent uint8

// The events.
const (
	AsyncSCSI            AsyncEvent = 0   // sense data is the data segment
	AsyncLogout          AsyncEvent = 1   // log out within Parameter3 seconds
	AsyncDropConnection  AsyncEvent = 2   // the target drops connection Parameter1
	AsyncDropSession     AsyncEvent = 3   // the target drops all connections
	AsyncNegotiate       AsyncEvent = 4   // negotiate parameters within Parameter3 seconds
	AsyncTasksTerminated AsyncEvent = 5   // all active tasks of the logical unit end
	AsyncVendor          AsyncEvent = 255 // VCode says what
)

// String returns the event's name.
func (e AsyncEvent) String() string {
	if e == AsyncVendor {
		return "vendor-specific event"
	}
	return name(e, []string{
		"SCSI asynchronous event", "target requests logout", "target will drop a connection",
		"target will drop all connections", "target requests parameter negotiation",
		"all active tasks of the logical unit are being terminated",
	}, "async event")
}

// Async tells the initiator of an event that is no answer to any request (RFC 7143 11.9).
type Async struct {
	Event AsyncEvent
	VCode uint8 // vendor specific code, with AsyncVendor

	DataSegmentLength uint32 // sense data or vendor's data in bytes, 0 to MaxDataLen

	LUN        LUN // valid with AsyncSCSI and AsyncTasksTerminated
	StatSN     Serial
	ExpCmdSN   Serial
	MaxCmdSN   Serial
	Parameter1 uint16 // CID, with AsyncDropConnection
	Parameter2 uint16 // Time2Wait in seconds, with the two drops
	Parameter3 uint16 // Time2Retain in seconds with the two drops; time to act with AsyncLogout, AsyncNegotiate
}

const (
	offAsyncEvent = 36
	offAsyncVCode = 37
	offParameter1 = 38
	offParameter2 = 40
	offParameter3 = 42
)

// Encode writes all 48 bytes of the header.
func (p *Async) Encode(b *BHS) {
	begin(b, OpAsync, false, bitFinal)
	putDataLen(b, p.DataSegmentLength)
	putLUN(b, p.LUN)
	put32(b, offITT, ReservedTag)
	putSerial(b, offStatSN, p.StatSN)
	putSerial(b, offExpCmdSN, p.ExpCmdSN)
	putSerial(b, offMaxCmdSN, p.MaxCmdSN)
	b[offAsyncEvent] = byte(p.Event)
	b[offAsyncVCode] = p.VCode
	put16(b, offParameter1, p.Parameter1)
	put16(b, offParameter2, p.Parameter2)
	put16(b, offParameter3, p.Parameter3)
}

// Decode reads the header and checks its format. On error p is undefined.
func (p *Async) Decode(b *BHS) error {
	if err := checkPlain(b, OpAsync); err != nil {
		return err
	}
	*p = Async{
		Event:             AsyncEvent(b[offAsyncEvent]),
		VCode:             b[offAsyncVCode],
		DataSegmentLength: getDataLen(b),
		LUN:               getLUN(b),
		StatSN:            getSerial(b, offStatSN),
		ExpCmdSN:          getSerial(b, offExpCmdSN),
		MaxCmdSN:          getSerial(b, offMaxCmdSN),
		Parameter1:        get16(b, offParameter1),
		Parameter2:        get16(b, offParameter2),
		Parameter3:        get16(b, offParameter3),
	}
	return nil
}
