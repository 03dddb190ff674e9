package nbd

import (
	"bytes"
	"errors"
	"testing"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/memdev"
)

// Every request that makes no sense is answered, its payload is skipped, and the connection goes on.
func TestRefusals(t *testing.T) {
	const size = 1 << 20
	rw := newBench(t, ram(memdev.Config{Size: size, BlockSize: 4096}), Config{MaxRequest: 128 << 10})
	ro := newBench(t, ram(memdev.Config{Size: size, ReadOnly: true}), Config{})
	_, dev := newScript(blockdev.Info{Size: size, BlockSize: 512})
	bare := newBench(t, dev, Config{})
	for _, tt := range []struct {
		name        string
		bench       *bench
		kind, flags uint16
		off         uint64
		length      uint32
		want        uint32
	}{
		{"READ unaligned offset", rw, cmdRead, 0, 512, 4096, errnoInvalid},
		{"READ unaligned length", rw, cmdRead, 0, 0, 512, errnoInvalid},
		{"READ beyond the end", rw, cmdRead, 0, size, 4096, errnoInvalid},
		{"READ across the end", rw, cmdRead, 0, size - 4096, 8192, errnoInvalid},
		{"READ offset overflows", rw, cmdRead, 0, 1<<64 - 4096, 8192, errnoInvalid},
		{"READ too long", rw, cmdRead, 0, 0, 132 << 10, errnoInvalid},
		{"READ of 4 GiB", rw, cmdRead, 0, 0, 1<<32 - 4096, errnoInvalid},
		{"READ with DF", rw, cmdRead, 1 << 2, 0, 4096, errnoInvalid},
		{"READ with NO_HOLE", rw, cmdRead, cmdFlagNoHole, 0, 4096, errnoInvalid},
		{"WRITE unaligned offset", rw, cmdWrite, 0, 512, 4096, errnoInvalid},
		{"WRITE unaligned length", rw, cmdWrite, 0, 0, 513, errnoInvalid},
		{"WRITE beyond the end", rw, cmdWrite, 0, size, 4096, errnoNoSpace},
		{"WRITE across the end", rw, cmdWrite, 0, size - 4096, 128 << 10, errnoNoSpace},
		{"WRITE too long", rw, cmdWrite, 0, 0, 3 << 20, errnoInvalid},
		{"WRITE with an unknown flag", rw, cmdWrite, 1 << 15, 0, 4096, errnoInvalid},
		{"WRITE with payload-length flag", rw, cmdWrite, 1 << 5, 0, 4096, errnoInvalid},
		{"TRIM unaligned", rw, cmdTrim, 0, 1, 4096, errnoInvalid},
		{"TRIM beyond the end", rw, cmdTrim, 0, size, 4096, errnoInvalid},
		{"TRIM with NO_HOLE", rw, cmdTrim, cmdFlagNoHole, 0, 4096, errnoInvalid},
		{"WRITE_ZEROES unaligned", rw, cmdWriteZeroes, 0, 0, 100, errnoInvalid},
		{"WRITE_ZEROES beyond the end", rw, cmdWriteZeroes, 0, 0, 1<<32 - 4096, errnoNoSpace},
		{"FLUSH with NO_HOLE", rw, cmdFlush, cmdFlagNoHole, 0, 0, errnoInvalid},
		{"CACHE", rw, 5, 0, 0, 4096, errnoInvalid},
		{"BLOCK_STATUS", rw, 7, 0, 0, 4096, errnoInvalid},
		{"an unknown type", rw, 0xffff, 0, 0, 4096, errnoInvalid},
		{"WRITE, read-only", ro, cmdWrite, 0, 0, 4096, errnoPerm},
		{"TRIM, read-only", ro, cmdTrim, 0, 0, 4096, errnoPerm},
		{"WRITE_ZEROES, read-only", ro, cmdWriteZeroes, 0, 0, 4096, errnoPerm},
		{"TRIM, not offered", bare, cmdTrim, 0, 0, 4096, errnoInvalid},
		{"FAST_ZERO, not offered", bare, cmdWriteZeroes, cmdFlagFastZero, 0, 4096, errnoInvalid},

		{"READ with FUA", rw, cmdRead, cmdFlagFUA, 0, 0, 0},
		{"READ of nothing", rw, cmdRead, 0, size, 0, 0},
		{"WRITE of nothing", rw, cmdWrite, cmdFlagFUA, 0, 0, 0},
		{"TRIM of nothing", rw, cmdTrim, 0, 0, 0, 0},
		{"TRIM", rw, cmdTrim, cmdFlagFUA, 0, 4096, 0},
		{"WRITE_ZEROES", rw, cmdWriteZeroes, cmdFlagFUA | cmdFlagNoHole | cmdFlagFastZero, 0, size, 0},
		{"FLUSH with FUA and a length", rw, cmdFlush, cmdFlagFUA, 1, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.bench.attach()
			c.t = t
			var payload []byte
			if tt.kind == cmdWrite {
				payload = noise(1, int(tt.length))
			}
			if got := c.do(tt.kind, tt.flags, tt.off, tt.length, payload); got != tt.want {
				t.Errorf("error %d, want %d", got, tt.want)
			}
			if got := c.do(0xfff, 0, 0, 0, nil); got != errnoInvalid { // the stream is still in step
				t.Errorf("afterwards: error %d, want %d", got, errnoInvalid)
			}
			c.leave()
		})
	}
}

// Every code of a device's has its number.
func TestDeviceErrors(t *testing.T) {
	s, dev := newScript(disk)
	b := newBench(t, dev, Config{})
	c := b.attach()
	kinds := map[blockdev.Op]uint16{blockdev.Read: cmdRead, blockdev.Write: cmdWrite, blockdev.Trim: cmdTrim, blockdev.WriteZeroes: cmdWriteZeroes}
	for _, tt := range []struct {
		op   blockdev.Op
		err  error
		want uint32
	}{
		{blockdev.Read, &blockdev.Error{Code: blockdev.CodeIO}, 5},
		{blockdev.Read, &blockdev.Error{Code: blockdev.CodeOutOfRange}, 22},
		{blockdev.Write, &blockdev.Error{Code: blockdev.CodeOutOfRange}, 28},
		{blockdev.Write, &blockdev.Error{Code: blockdev.CodeInvalid}, 22},
		{blockdev.Write, &blockdev.Error{Code: blockdev.CodeReadOnly}, 1},
		{blockdev.Write, &blockdev.Error{Code: blockdev.CodeNoSpace}, 28},
		{blockdev.WriteZeroes, &blockdev.Error{Code: blockdev.CodeUnsupported}, 95},
		{blockdev.Trim, &blockdev.Error{Code: blockdev.CodeReservation}, 5},
		{blockdev.Read, &blockdev.Error{Code: blockdev.CodeTransport}, 5},
		{blockdev.Read, &blockdev.Error{Code: blockdev.CodeTimeout}, 5},
		{blockdev.Read, &blockdev.Error{Code: blockdev.CodeNoPath}, 5},
		{blockdev.Read, &blockdev.Error{Code: blockdev.CodeShutdown}, 108},
		{blockdev.Read, &blockdev.Error{Code: blockdev.CodeNoMemory}, 12},
		{blockdev.Read, &blockdev.Error{Code: 200}, 5},
		{blockdev.Read, errors.New("something else"), 5},
	} {
		var payload []byte
		if tt.op == blockdev.Write {
			payload = make([]byte, 512)
		}
		c.send(append(request(kinds[tt.op], 0, 7, 0, 512), payload...))
		s.complete(t, <-s.arrived, tt.err)
		if _, got := c.reply(); got != tt.want {
			t.Errorf("%v of %v: got %d, want %d", tt.err, tt.op, got, tt.want)
		}
	}
	for code := range blockdev.CodeNoMemory + 1 {
		if errnos[code] == 0 {
			t.Errorf("%v has no number", code)
		}
	}
}

func TestBadMagicEnds(t *testing.T) {
	why := make(chan error, 1)
	b := newBench(t, ram(memdev.Config{Size: 1 << 20}), Config{Closed: func(_ string, err error) { why <- err }})
	c := b.attach()
	c.send(make([]byte, requestLen))
	c.ended()
	if err := <-why; err == nil {
		t.Error("Closed was told of no error")
	}
}

// A device that lends the wrong number of bytes must not put the stream out of step.
func TestShortReadIsAnError(t *testing.T) {
	s, dev := newScript(disk)
	b := newBench(t, dev, Config{})
	c := b.attach()
	c.send(request(cmdRead, 0, 7, 0, 1024))
	r := <-s.arrived
	b.onLoop(func() {
		r.Data = append(r.Data, blockdev.Own(make([]byte, 512)))
		r.Complete(nil)
	})
	if _, got := c.reply(); got != errnoIO {
		t.Errorf("got %d, want %d", got, errnoIO)
	}
}

// FUA reaches a device that has it; one that has not gets a flush, and the reply waits for it.
func TestFUA(t *testing.T) {
	for _, native := range []bool{true, false} {
		info := disk
		info.FUA = native
		s, dev := newScript(info)
		b := newBench(t, dev, Config{})
		c := b.attach()
		c.send(append(request(cmdWrite, cmdFlagFUA, 7, 0, 512), make([]byte, 512)...))
		r := <-s.arrived
		if got := r.Flags&blockdev.FlagFUA != 0; got != native {
			t.Errorf("native %v: the write has FUA: %v", native, got)
		}
		s.complete(t, r, nil)
		if !native {
			r = <-s.arrived
			if r.Op != blockdev.Flush {
				t.Fatalf("got %v, want a flush", r)
			}
			s.complete(t, r, &blockdev.Error{Code: blockdev.CodeIO})
		}
		want := map[bool]uint32{true: 0, false: errnoIO}[native]
		if _, got := c.reply(); got != want {
			t.Errorf("native %v: got %d, want %d", native, got, want)
		}
	}
}

// Replies go out in the order of completion, each with its own payload.
func TestOutOfOrder(t *testing.T) {
	s, dev := newScript(disk)
	copy(s.lend, noise(1, 1<<20))
	b := newBench(t, dev, Config{})
	c := b.attach()
	for i := range 4 {
		c.send(request(cmdRead, 0, uint64(i), uint64(i)*4096, 4096))
	}
	reqs := []*blockdev.Request{<-s.arrived, <-s.arrived, <-s.arrived, <-s.arrived}
	for _, i := range []int{2, 0, 3, 1} {
		s.complete(t, reqs[i], nil)
		handle, errno := c.reply()
		if handle != uint64(i) || errno != 0 {
			t.Fatalf("reply to %d, error %d; want %d", handle, errno, i)
		}
		if got := c.recv(4096); !bytes.Equal(got, s.lend[i*4096:(i+1)*4096]) {
			t.Errorf("reply %d has another's payload", i)
		}
	}
}

// FUA on TRIM and WRITE_ZEROES is a flush of its own, so that what a failed flush says is not lost in a retry of the request.
func TestFUAWithoutPayloadIsAFlush(t *testing.T) {
	for _, kind := range []uint16{cmdTrim, cmdWriteZeroes} {
		s, dev := newScript(disk)
		b := newBench(t, dev, Config{})
		c := b.attach()
		c.send(request(kind, cmdFlagFUA, 7, 0, 4096))
		r := <-s.arrived
		if r.Flags&blockdev.FlagFUA != 0 {
			t.Errorf("%v has FUA", r.Op)
		}
		s.complete(t, r, nil)
		if r.Op != blockdev.Flush {
			t.Fatalf("got %v, want a flush", r)
		}
		s.complete(t, <-s.arrived, &blockdev.Error{Outcome: blockdev.Failed, Code: blockdev.CodeIO})
		if handle, errno := c.reply(); handle != 7 || errno != errnoIO {
			t.Errorf("reply to %d, error %d; want 7, %d", handle, errno, errnoIO)
		}
	}
}
