package pdu

import "testing"

func TestOpcodeFromTarget(t *testing.T) {
	for _, op := range []Opcode{OpNOPIn, OpSCSIResponse, OpDataIn, OpR2T, OpAsync, OpReject} {
		if !op.FromTarget() {
			t.Errorf("%v: not the target's", op)
		}
	}
	for _, op := range []Opcode{OpNOPOut, OpSCSICommand, OpDataOut, OpSNACK} {
		if op.FromTarget() {
			t.Errorf("%v: not the initiator's", op)
		}
	}
}
