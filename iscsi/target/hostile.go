package target

import (
	"encoding/binary"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// Hostile is a lie that a target may tell in the answer to a command.
type Hostile uint8

// The lies. Each is told in every PDU of the command that it fits to.
const (
	Honest          Hostile = iota
	WrongITT                // the Initiator Task Tag of no task
	WrongOpcode             // an opcode that there is not
	DataBeyondEDTL          // the Data-In is behind the end of what was expected
	WrongDataOffset         // the Data-In's offset is not where the last one ended
	WrongDataSN             // a DataSN is left out
	WrongStatSN             // a StatSN is left out
	WrongMaxCmdSN           // the window is closed far behind
	HugeLength              // the data segment is said to have 16 MiB
	R2TBeyondEnd            // the R2T asks for more than there is
	R2TWrongTTT             // the R2T has the reserved tag
	R2TWrongSN              // an R2TSN is left out
	BadResidual             // the residual is more than was expected
	NoFinal                 // F is never set
)

// Offsets in the header, RFC 7143 11.3 to 11.8.
const (
	atFlags    = 1
	atDataLen  = 5
	atITT      = 16
	atStatSN   = 24
	atMaxCmdSN = 32
	atDataSN   = 36
	atOffset   = 40
	atResidual = 44

	flagFinal     = 0x80
	flagUnderflow = 0x02
)

// distort changes an encoded Data-In or SCSI Response.
func (t *task) distort(b *pdu.BHS) {
	if t.hostile == Honest {
		return
	}
	dataIn := pdu.OpcodeOf(b) == pdu.OpDataIn
	switch t.hostile {
	case WrongITT:
		add(b, atITT, 0x5a5a5a)
	case WrongOpcode:
		b[0] = 0x3c
	case DataBeyondEDTL:
		if dataIn {
			add(b, atOffset, t.edtl)
		}
	case WrongDataOffset:
		if dataIn {
			add(b, atOffset, 512)
		}
	case WrongDataSN:
		add(b, atDataSN, 1)
	case WrongStatSN:
		add(b, atStatSN, 1)
	case WrongMaxCmdSN:
		add(b, atMaxCmdSN, 1<<30)
	case HugeLength:
		b[atDataLen], b[atDataLen+1], b[atDataLen+2] = 0xff, 0xff, 0xff
	case BadResidual:
		b[atFlags] |= flagUnderflow
		binary.BigEndian.PutUint32(b[atResidual:], t.edtl+1)
	case NoFinal:
		b[atFlags] &^= flagFinal
	}
}

func add(b *pdu.BHS, off int, n uint32) {
	binary.BigEndian.PutUint32(b[off:], binary.BigEndian.Uint32(b[off:])+n)
}

func (t *task) distortR2T(p *pdu.R2T) {
	switch t.hostile {
	case R2TBeyondEnd:
		p.DesiredDataLength += t.edtl
	case R2TWrongTTT:
		p.TTT = pdu.ReservedTag
	case R2TWrongSN:
		p.R2TSN++
	case WrongITT:
		p.ITT += 0x5a5a5a
	}
}
