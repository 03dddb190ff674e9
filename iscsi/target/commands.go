package target

import "github.com/hawser-storage/hawser/iscsi/scsi"

// A command is what the target knows of an operation code, or of one of its service actions.
type command struct {
	action  uint8 // service action, with usage telling whether there is one
	always  bool  // answered where there is no unit, and whatever is to be told first
	standby bool  // answered in the standby state of the port's group
	medium  bool  // exec works on the medium, and so on a worker if that may block
	collect bool  // exec needs all of the data-out in one buffer
	alone   bool  // exec is one step for all: nothing else works on the unit meanwhile

	// prepare runs on the loop: it reads the CDB, checks it, and says what data there is (need, supply). A failure ends it.
	prepare func(t *task)

	// exec carries it out, once the data-out is there. nil: prepare did.
	exec func(t *task)

	// usage is the CDB with a bit for every bit that is looked at, for REPORT SUPPORTED OPERATION CODES.
	usage []byte
}

// Operation codes that only the target needs.
const (
	opWriteVerify10 scsi.Opcode = 0x2e
	opWriteVerify16 scsi.Opcode = 0x8e
	opWriteVerify12 scsi.Opcode = 0xae
	opVerify12      scsi.Opcode = 0xaf
)

var (
	unknown = command{prepare: func(t *task) { t.failCode(scsi.KeyIllegalRequest, scsi.CodeInvalidOpcode) }}

	readCapacity16 = command{prepare: prepareReadCapacity16, standby: true, action: scsi.SAReadCapacity16, usage: usage16(0x10, 0, 1)}
	getLBAStatus   = command{prepare: prepareGetLBAStatus, exec: execGetLBAStatus, medium: true, action: scsi.SAGetLBAStatus, usage: usage16(0x12, 1, 1)}
	reportGroups   = command{prepare: prepareReportGroups, standby: true, action: scsi.SAReportTargetPortGroups, usage: usageMaintenance(0x2a)}
	reportOpcodes  = command{
		prepare: prepareReportOpcodes, standby: true, action: scsi.SAReportSupportedOpcodes,
		usage: []byte{0xa3, 0x0c, 0x87, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0x04},
	}

	serviceIn   = command{prepare: prepareServiceIn}
	maintenance = command{prepare: prepareMaintenance, standby: true}
)

// commands is by operation code.
var commands [256]*command

func init() {
	actions = map[scsi.Opcode][]*command{
		scsi.OpServiceActionIn16: {&readCapacity16, &getLBAStatus},
		scsi.OpMaintenanceIn:     {&reportGroups, &reportOpcodes},
	}
	read := func(u []byte) *command { return &command{prepare: prepareRead, exec: execRead, medium: true, usage: u} }
	write := func(u []byte) *command {
		return &command{prepare: prepareWrite, exec: execWrite, medium: true, usage: u}
	}
	verify := func(u []byte) *command {
		return &command{prepare: prepareVerify, exec: execVerify, medium: true, collect: true, usage: u}
	}
	writeSame := func(u []byte) *command {
		return &command{prepare: prepareWriteSame, exec: execWriteSame, medium: true, collect: true, usage: u}
	}
	sync := func(u []byte) *command {
		return &command{prepare: prepareSyncCache, exec: execSyncCache, medium: true, usage: u}
	}
	plain := func(prepare func(*task), u []byte) *command {
		return &command{prepare: prepare, standby: true, usage: u}
	}

	for op, c := range map[scsi.Opcode]*command{
		scsi.OpTestUnitReady:  {prepare: prepareTestUnitReady, usage: []byte{0x00, 0, 0, 0, 0, 0x04}},
		scsi.OpRequestSense:   {prepare: prepareRequestSense, always: true, standby: true, usage: []byte{0x03, 1, 0, 0, 0xff, 0x04}},
		scsi.OpInquiry:        {prepare: prepareInquiry, always: true, standby: true, usage: []byte{0x12, 1, 0xff, 0xff, 0xff, 0x04}},
		scsi.OpReportLUNs:     {prepare: prepareReportLUNs, always: true, standby: true, usage: []byte{0xa0, 0, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0x04}},
		scsi.OpModeSense6:     plain(prepareModeSense, []byte{0x1a, 0x08, 0xff, 0xff, 0xff, 0x04}),
		scsi.OpModeSense10:    plain(prepareModeSense, []byte{0x5a, 0x08, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0x04}),
		scsi.OpReadCapacity10: plain(prepareReadCapacity10, []byte{0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0x04}),
		scsi.OpStartStopUnit:  plain(prepareStartStop, []byte{0x1b, 0x01, 0, 0, 0xf7, 0x04}),

		scsi.OpRead6:   read([]byte{0x08, 0x1f, 0xff, 0xff, 0xff, 0x04}),
		scsi.OpRead10:  read(usage10(0x28, 0x18)),
		scsi.OpRead12:  read(usage12(0xa8, 0x18)),
		scsi.OpRead16:  read(usage16of(0x88, 0x18)),
		scsi.OpWrite6:  write([]byte{0x0a, 0x1f, 0xff, 0xff, 0xff, 0x04}),
		scsi.OpWrite10: write(usage10(0x2a, 0x18)),
		scsi.OpWrite12: write(usage12(0xaa, 0x18)),
		scsi.OpWrite16: write(usage16of(0x8a, 0x18)),

		opWriteVerify10:   write(usage10(0x2e, 0x16)),
		opWriteVerify12:   write(usage12(0xae, 0x16)),
		opWriteVerify16:   write(usage16of(0x8e, 0x16)),
		scsi.OpVerify10:   verify(usage10(0x2f, 0x16)),
		opVerify12:        verify(usage12(0xaf, 0x16)),
		scsi.OpVerify16:   verify(usage16of(0x8f, 0x16)),
		scsi.OpPrefetch10: {prepare: preparePrefetch, medium: true, usage: usage10(0x34, 0x02)},
		scsi.OpPrefetch16: {prepare: preparePrefetch, medium: true, usage: usage16of(0x90, 0x02)},

		scsi.OpSynchronizeCache10: sync(usage10(0x35, 0x02)),
		scsi.OpSynchronizeCache16: sync(usage16of(0x91, 0x02)),
		scsi.OpWriteSame10:        writeSame(usage10(0x41, 0x08)),
		scsi.OpWriteSame16:        writeSame(usage16of(0x93, 0x09)),
		scsi.OpUnmap: {
			prepare: prepareUnmap, exec: execUnmap, medium: true, collect: true,
			usage: []byte{0x42, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0x04},
		},
		scsi.OpCompareAndWrite: {
			prepare: prepareCompareAndWrite, exec: execCompareAndWrite, medium: true, collect: true, alone: true,
			usage: []byte{0x89, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0xff, 0, 0x04},
		},

		scsi.OpServiceActionIn16: &serviceIn,
		scsi.OpMaintenanceIn:     &maintenance,
	} {
		commands[op] = c
	}
}

// actions are the commands that share an operation code.
var actions map[scsi.Opcode][]*command

func prepareServiceIn(t *task)   { t.prepareAction(scsi.OpServiceActionIn16) }
func prepareMaintenance(t *task) { t.prepareAction(scsi.OpMaintenanceIn) }

func (t *task) prepareAction(op scsi.Opcode) {
	for _, c := range actions[op] {
		if c.action == scsi.ServiceAction(&t.cdb) {
			t.op = c
			c.prepare(t)
			return
		}
	}
	t.fail(scsi.InvalidFieldInCDB(1))
}

func usage10(op, flags byte) []byte {
	return []byte{op, flags, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0x04}
}

func usage12(op, flags byte) []byte {
	return []byte{op, flags, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0x04}
}

func usage16of(op, flags byte) []byte {
	return []byte{op, flags, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0x04}
}

// usage16 is for SERVICE ACTION IN(16): with or without an LBA and an allocation length.
func usage16(action byte, lba, alloc byte) []byte {
	u := make([]byte, 16)
	u[0], u[1], u[15] = byte(scsi.OpServiceActionIn16), action, 0x04
	for i := range 8 {
		u[2+i] = 0xff * lba
	}
	for i := range 4 {
		u[10+i] = 0xff * alloc
	}
	return u
}

func usageMaintenance(action byte) []byte {
	return []byte{byte(scsi.OpMaintenanceIn), action, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0x04}
}
