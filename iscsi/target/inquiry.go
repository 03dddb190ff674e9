package target

import (
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// Who the units say they are.
const (
	vendor   = "HAWSER"
	product  = "TARGET"
	revision = "0001"
)

// Version descriptors (SPC-4): SAM-5, SPC-4, SBC-3, iSCSI.
var standards = [8]uint16{0x00a0, 0x0460, 0x04c0, 0x0960}

func prepareInquiry(t *task) {
	q, err := scsi.ParseInquiry(&t.cdb)
	switch {
	case err != nil:
		t.failCDB(err)
	case !q.EVPD:
		t.reply(t.standardInquiry(), int(q.Alloc))
	case t.lun == nil:
		t.fail(scsi.InvalidFieldInCDB(2))
	default:
		page := t.vpd(scsi.VPDPage(q.Page))
		if page == nil {
			t.fail(scsi.InvalidFieldInCDB(2))
			return
		}
		t.reply(page, int(q.Alloc))
	}
}

func (t *task) standardInquiry() []byte {
	d := scsi.InquiryData{
		Version: 6, TPGS: scsi.TPGSImplicit, MultiP: true, CmdQue: true,
		Vendor: vendor, Product: product, Revision: revision, Standards: standards,
	}
	if t.lun == nil {
		d.Qualifier, d.Type = 3, scsi.TypeUnknown
	}
	return d.Append(nil)
}

// vpd makes a VPD page, or nil if there is none.
func (t *task) vpd(page scsi.VPDPage) []byte {
	l := t.lun
	switch page {
	case scsi.VPDSupported:
		return l.supportedPages()
	case scsi.VPDSerial:
		return scsi.AppendSerial(nil, l.serial)
	case scsi.VPDIdentification:
		return t.identification()
	case scsi.VPDBlockLimits:
		return l.limits()
	case scsi.VPDCharacteristics:
		c := scsi.Characteristics{RotationRate: scsi.NonRotating}
		return c.Append(nil)
	case scsi.VPDProvisioning:
		return l.provisioning()
	}
	return nil
}

func (l *lun) supportedPages() []byte {
	var s scsi.SupportedPages
	for _, p := range []scsi.VPDPage{
		scsi.VPDSupported, scsi.VPDSerial, scsi.VPDIdentification, scsi.VPDBlockLimits, scsi.VPDCharacteristics, scsi.VPDProvisioning,
	} {
		s[p] = true
	}
	return s.Append(nil)
}

// identification has what names the unit, the same at every portal, and then what names the port.
func (t *task) identification() []byte {
	l, p := t.lun, t.conn.portal
	port := scsi.PortDesignator(scsi.DesignatorRelativePort, p.relativePort())
	group := scsi.PortDesignator(scsi.DesignatorTargetPortGroup, p.tag)
	for _, d := range []*scsi.Designator{&port, &group} {
		d.ProtocolValid, d.Protocol = true, scsi.ProtocolISCSI
	}
	t10 := append([]byte("HAWSER  "), l.serial...)
	return scsi.AppendDesignators(nil,
		scsi.Designator{CodeSet: scsi.CodeSetBinary, Type: scsi.DesignatorNAA, ID: l.naa[:]},
		scsi.Designator{CodeSet: scsi.CodeSetASCII, Type: scsi.DesignatorT10, ID: t10},
		port, group)
}

func (l *lun) limits() []byte {
	b := scsi.BlockLimits{
		WSNZ:               true,
		MaxCompareAndWrite: maxCompareAndWrite,
		MaxTransfer:        maxTransfer >> l.shift,
		MaxWriteSame:       maxWriteSame >> l.shift,
	}
	if l.Thin {
		b.MaxUnmapBlocks, b.MaxUnmapRanges = maxUnmap>>l.shift, maxUnmapRanges
		b.UnmapGranularity = max(1, uint32(4096>>l.shift))
		b.UGAValid = true
	}
	return b.Append(nil)
}

func (l *lun) provisioning() []byte {
	p := scsi.Provisioning{LBPU: l.Thin, LBPWS: l.Thin, LBPWS10: l.Thin, LBPRZ: l.Thin}
	if l.Thin {
		p.Type = scsi.ProvisioningThin
	}
	return p.Append(nil)
}
