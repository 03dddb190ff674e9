package scsi

import "fmt"

// MaxPortGroups bounds how many groups ParsePortGroups takes.
const MaxPortGroups = 256

const (
	rtpgHeaderLen    = 4
	rtpgExtHeaderLen = 8
	rtpgGroupLen     = 8
	rtpgPortLen      = 4
	rtpgFormatMask   = 0x70
	rtpgFormatExt    = 0x10
)

// PutReportTargetPortGroups writes REPORT TARGET PORT GROUPS for the plain header. alloc is in bytes.
func PutReportTargetPortGroups(c *CDB, alloc uint32) {
	*c = CDB{byte(OpMaintenanceIn), SAReportTargetPortGroups}
	be.PutUint32(c[6:], alloc)
}

// PutReportTargetPortGroupsExtended asks for the extended header, with the transition time; older devices refuse it with
// CodeInvalidFieldInCDB.
func PutReportTargetPortGroupsExtended(c *CDB, alloc uint32) {
	PutReportTargetPortGroups(c, alloc)
	c[1] |= 1 << 5
}

// ReportTargetPortGroups is a REPORT TARGET PORT GROUPS command.
type ReportTargetPortGroups struct {
	Extended bool
	Alloc    uint32
}

// ParseReportTargetPortGroups decodes REPORT TARGET PORT GROUPS. The error is a *CDBError.
func ParseReportTargetPortGroups(c *CDB) (ReportTargetPortGroups, error) {
	if err := checkAction(c, OpMaintenanceIn, SAReportTargetPortGroups); err != nil {
		return ReportTargetPortGroups{}, err
	}
	format := c[1] >> 5
	if format > 1 {
		return ReportTargetPortGroups{}, badField(c, 1, "unknown PARAMETER DATA FORMAT")
	}
	return ReportTargetPortGroups{Extended: format == 1, Alloc: be.Uint32(c[6:])}, nil
}

// ParsePortGroups decodes the answer to REPORT TARGET PORT GROUPS with either header. Data that is cut off is a *FormatError,
// with Need set if a larger allocation length would help.
func ParsePortGroups(b []byte) (PortGroups, error) {
	const what = "REPORT TARGET PORT GROUPS data"
	if len(b) < rtpgHeaderLen {
		return PortGroups{}, truncated(what, len(b), rtpgHeaderLen)
	}
	n := be.Uint32(b)
	if n > 1<<20 {
		return PortGroups{}, badData(what, fmt.Sprintf("%d bytes, more than any device needs", n))
	}
	if whole := rtpgHeaderLen + int(n); whole > len(b) {
		return PortGroups{}, truncated(what, len(b), whole)
	}
	var p PortGroups
	b = b[rtpgHeaderLen : rtpgHeaderLen+int(n)]
	if len(b) >= rtpgExtHeaderLen-rtpgHeaderLen && b[0]&rtpgFormatMask == rtpgFormatExt {
		p.Extended, p.TransitionTime = true, b[1]
		b = b[rtpgExtHeaderLen-rtpgHeaderLen:]
	}
	for len(b) > 0 {
		g, size := parsePortGroup(b)
		switch {
		case size == 0:
			return PortGroups{}, badData(what, "a group is longer than the data")
		case len(p.Groups) == MaxPortGroups:
			return PortGroups{}, badData(what, fmt.Sprintf("more than %d groups", MaxPortGroups))
		}
		p.Groups = append(p.Groups, g)
		b = b[size:]
	}
	return p, nil
}

// parsePortGroup decodes the group that b begins with and returns its size, 0 if b is too short for it.
func parsePortGroup(b []byte) (g PortGroup, size int) {
	if len(b) < rtpgGroupLen {
		return PortGroup{}, 0
	}
	size = rtpgGroupLen + rtpgPortLen*int(b[7])
	if size > len(b) {
		return PortGroup{}, 0
	}
	g = PortGroup{
		State:     ALUAState(b[0] & 0x0f),
		Preferred: b[0]&0x80 != 0,
		Supported: b[1],
		ID:        be.Uint16(b[2:]),
		Status:    b[5],
	}
	for at := rtpgGroupLen; at < size; at += rtpgPortLen {
		g.Ports = append(g.Ports, be.Uint16(b[at+2:]))
	}
	return g, size
}

// Append appends the answer to REPORT TARGET PORT GROUPS. It panics if a group has more than 255 ports.
func (p *PortGroups) Append(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if p.Extended {
		dst = append(dst, rtpgFormatExt, p.TransitionTime, 0, 0)
	}
	for i := range p.Groups {
		dst = p.Groups[i].append(dst)
	}
	be.PutUint32(dst[at:], uint32(len(dst)-at-rtpgHeaderLen))
	return dst
}

func (g *PortGroup) append(dst []byte) []byte {
	if len(g.Ports) > 255 {
		panic(fmt.Sprintf("scsi: %d ports in a target port group, at most 255 fit", len(g.Ports)))
	}
	dst = append(dst, flag(g.Preferred, 0x80)|byte(g.State)&0x0f, g.Supported, byte(g.ID>>8), byte(g.ID), 0, g.Status, 0, byte(len(g.Ports)))
	for _, port := range g.Ports {
		dst = append(dst, 0, 0, byte(port>>8), byte(port))
	}
	return dst
}
