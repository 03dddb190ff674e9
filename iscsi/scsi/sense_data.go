package scsi

import "math"

const (
	senseFixed       = 0x70
	senseDescriptor  = 0x72
	senseDeferredBit = 0x01
	senseValidBit    = 0x80
	sksInCDBBit      = 0x40

	senseFixedLen     = 18
	senseFixedMinLen  = 3
	senseDescHeadLen  = 8
	senseDescMinLen   = 4
	senseDescInfo     = 0x00
	senseDescInfoLen  = 12
	senseDescSpecific = 0x02
	senseDescSpecLen  = 8
)

// ParseSense decodes sense data in fixed or descriptor format, current or deferred. Missing fields are zero; ok is false if not
// even the key is there or the format is unknown.
func ParseSense(b []byte) (s Sense, ok bool) {
	if len(b) == 0 {
		return Sense{}, false
	}
	code := b[0] &^ senseValidBit
	s.Deferred = code&senseDeferredBit != 0
	switch code &^ senseDeferredBit {
	case senseFixed:
		ok = s.parseFixed(b)
	case senseDescriptor:
		ok = s.parseDescriptor(b)
	}
	if !ok {
		return Sense{}, false
	}
	return s, true
}

func (s *Sense) parseFixed(b []byte) bool {
	if len(b) < senseFixedMinLen {
		return false
	}
	var raw [senseFixedLen]byte
	if len(b) >= 8 {
		b = b[:min(len(b), 8+int(b[7]))]
	}
	copy(raw[:], b)
	s.Key = SenseKey(raw[2] & 0x0f)
	s.ASC, s.ASCQ = raw[12], raw[13]
	if raw[0]&senseValidBit != 0 && len(b) >= 7 {
		s.Information, s.InfoValid = uint64(be.Uint32(raw[3:])), true
	}
	if raw[15]&senseValidBit != 0 && len(b) >= senseFixedLen {
		s.Specific = [3]byte(raw[15:18])
	}
	return true
}

func (s *Sense) parseDescriptor(b []byte) bool {
	if len(b) < senseDescMinLen {
		return false
	}
	s.Key = SenseKey(b[1] & 0x0f)
	s.ASC, s.ASCQ = b[2], b[3]
	if len(b) < senseDescHeadLen {
		return true
	}
	b = b[senseDescHeadLen:min(len(b), senseDescHeadLen+int(b[7]))]
	for len(b) >= 2 {
		n := 2 + int(b[1])
		if n > len(b) {
			break
		}
		s.setDescriptor(b[:n])
		b = b[n:]
	}
	return true
}

func (s *Sense) setDescriptor(d []byte) {
	switch {
	case d[0] == senseDescInfo && len(d) >= senseDescInfoLen && d[2]&senseValidBit != 0:
		s.Information, s.InfoValid = be.Uint64(d[4:]), true
	case d[0] == senseDescSpecific && len(d) >= senseDescSpecLen && d[4]&senseValidBit != 0:
		s.Specific = [3]byte(d[4:7])
	}
}

// AppendFixedSense appends s in fixed format, 18 bytes. Information of more than 32 bits is left out, as SPC-4 wants it.
func AppendFixedSense(dst []byte, s Sense) []byte {
	var raw [senseFixedLen]byte
	raw[0] = senseFixed | flag(s.Deferred, senseDeferredBit)
	raw[2] = byte(s.Key) & 0x0f
	if s.InfoValid && s.Information <= math.MaxUint32 {
		raw[0] |= senseValidBit
		be.PutUint32(raw[3:], uint32(s.Information))
	}
	raw[7] = senseFixedLen - 8
	raw[12], raw[13] = s.ASC, s.ASCQ
	copy(raw[15:], s.Specific[:])
	return append(dst, raw[:]...)
}

// AppendDescriptorSense appends s in descriptor format, 8 to 28 bytes.
func AppendDescriptorSense(dst []byte, s Sense) []byte {
	at := len(dst)
	dst = append(dst, senseDescriptor|flag(s.Deferred, senseDeferredBit), byte(s.Key)&0x0f, s.ASC, s.ASCQ, 0, 0, 0, 0)
	if s.InfoValid {
		dst = append(dst, senseDescInfo, senseDescInfoLen-2, senseValidBit, 0)
		dst = be.AppendUint64(dst, s.Information)
	}
	if s.Specific[0]&senseValidBit != 0 {
		dst = append(dst, senseDescSpecific, senseDescSpecLen-2, 0, 0, s.Specific[0], s.Specific[1], s.Specific[2], 0)
	}
	dst[at+7] = byte(len(dst) - at - senseDescHeadLen)
	return dst
}

// ParseResponseSense decodes the data segment of a SCSI Response: a 2-byte SenseLength, the sense data, and perhaps more. A
// SenseLength beyond the data is cut to it.
func ParseResponseSense(data []byte) (s Sense, ok bool) {
	if len(data) < 2 {
		return Sense{}, false
	}
	n := int(be.Uint16(data))
	data = data[2:]
	return ParseSense(data[:min(n, len(data))])
}

// AppendResponseSense appends the data segment of a SCSI Response with s in fixed format, or in descriptor format if its
// Information needs that.
func AppendResponseSense(dst []byte, s Sense) []byte {
	at := len(dst)
	dst = append(dst, 0, 0)
	if s.InfoValid && s.Information > math.MaxUint32 {
		dst = AppendDescriptorSense(dst, s)
	} else {
		dst = AppendFixedSense(dst, s)
	}
	be.PutUint16(dst[at:], uint16(len(dst)-at-2))
	return dst
}
