package scsi

// ParseSerial decodes VPD page 80, the unit serial number, without padding; bytes that do not print are escaped as \xNN. A
// truncated page is a *FormatError with Need set: half a serial number could be that of another unit.
func ParseSerial(b []byte) (string, error) {
	body, err := vpdWhole(b, VPDSerial)
	if err != nil {
		return "", err
	}
	return text(body), nil
}

// AppendSerial appends VPD page 80. The serial number is cut to 65535 bytes.
func AppendSerial(dst []byte, serial string) []byte {
	serial = serial[:min(len(serial), 65535)]
	return append(appendVPD(dst, VPDSerial, len(serial)), serial...)
}
