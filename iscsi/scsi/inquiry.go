package scsi

// DeviceType is the PERIPHERAL DEVICE TYPE.
type DeviceType uint8

// Device types that a storage host meets on an array.
const (
	TypeDisk      DeviceType = 0x00
	TypeArray     DeviceType = 0x0c // storage array controller
	TypeEnclosure DeviceType = 0x0d
	TypeWellKnown DeviceType = 0x1e // well known logical unit
	TypeUnknown   DeviceType = 0x1f // with qualifier 3: no logical unit at this LUN
)

// TPGS says how the device's target port groups change state (ALUA).
type TPGS uint8

// The values of TPGS: which ways of changing the state the device has.
const (
	TPGSNone     TPGS = 0
	TPGSImplicit TPGS = 1
	TPGSExplicit TPGS = 2
	TPGSBoth     TPGS = 3
)

// InquiryData is the standard INQUIRY data. Texts have no padding, and bytes that do not print are escaped as \xNN.
type InquiryData struct {
	Qualifier uint8 // PERIPHERAL QUALIFIER: 0 there is a unit, 1 none now, 3 none possible
	Type      DeviceType
	Removable bool
	Version   uint8 // 5 is SPC-3, 6 is SPC-4
	TPGS      TPGS
	ThreePC   bool // third-party copy
	Protect   bool // protection information
	EncServ   bool // enclosure services
	MultiP    bool // several ports
	CmdQue    bool // command queuing
	Vendor    string
	Product   string
	Revision  string
	// Standards are the version descriptors: the standards that the unit claims, 0 where there is none.
	Standards [8]uint16
}

// InquiryLen is the length of the data that InquiryData.Append makes, and a good allocation length.
const InquiryLen = 96

const inquiryMinLen = 5

// Present says whether there is a logical unit at the LUN that was asked.
func (d *InquiryData) Present() bool { return d.Qualifier == 0 && d.Type != TypeUnknown }

// ParseInquiryData decodes standard INQUIRY data of 5 bytes or more; fields beyond its end are zero.
// The error is a *FormatError.
func ParseInquiryData(b []byte) (InquiryData, error) {
	if len(b) < inquiryMinLen {
		return InquiryData{}, truncated("standard INQUIRY data", len(b), inquiryMinLen)
	}
	var raw [74]byte
	copy(raw[:], b[:min(len(b), inquiryMinLen+int(b[4]))])
	d := InquiryData{
		Qualifier: raw[0] >> 5,
		Type:      DeviceType(raw[0] & 0x1f),
		Removable: raw[1]&0x80 != 0,
		Version:   raw[2],
		TPGS:      TPGS(raw[5] >> 4 & 3),
		ThreePC:   raw[5]&0x08 != 0,
		Protect:   raw[5]&0x01 != 0,
		EncServ:   raw[6]&0x40 != 0,
		MultiP:    raw[6]&0x10 != 0,
		CmdQue:    raw[7]&0x02 != 0,
		Vendor:    text(raw[8:16]),
		Product:   text(raw[16:32]),
		Revision:  text(raw[32:36]),
	}
	for i := range d.Standards {
		d.Standards[i] = be.Uint16(raw[58+2*i:])
	}
	return d, nil
}

// Append appends the InquiryLen bytes of standard INQUIRY data. Vendor is cut to 8 bytes, Product to 16, Revision to 4.
func (d *InquiryData) Append(dst []byte) []byte {
	var raw [InquiryLen]byte
	raw[0] = d.Qualifier<<5 | byte(d.Type)&0x1f
	raw[1] = flag(d.Removable, 0x80)
	raw[2] = d.Version
	raw[3] = 2 // RESPONSE DATA FORMAT
	raw[4] = InquiryLen - inquiryMinLen
	raw[5] = byte(d.TPGS&3)<<4 | flag(d.ThreePC, 0x08) | flag(d.Protect, 0x01)
	raw[6] = flag(d.EncServ, 0x40) | flag(d.MultiP, 0x10)
	raw[7] = flag(d.CmdQue, 0x02)
	putText(raw[8:16], d.Vendor)
	putText(raw[16:32], d.Product)
	putText(raw[32:36], d.Revision)
	for i, s := range d.Standards {
		be.PutUint16(raw[58+2*i:], s)
	}
	return append(dst, raw[:]...)
}
