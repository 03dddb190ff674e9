package iscsi

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

const (
	maxAttentions = 8               // unit attentions in a row that a probe clears
	probeAgain    = 1 * time.Second // after a probe failed on a connection that lives
	maxTransfer   = 4 << 20         // bytes of one READ or WRITE where the unit names no limit: larger ones gain nothing
	maxZeroes     = 32 << 20        // bytes of one WRITE SAME where the unit names no limit: it takes the unit's time, unseen
	maxUnmap      = 128 << 20       // bytes of one UNMAP at most, for the same reason
	pageSize      = 4096            // bytes asked of a page: more than any of them has
)

// probe asks the unit what it is, in the control plane, and then declares the path up. One probe runs at a time.
func (u *LUN) probe() {
	if u.closed || u.s.conn == nil {
		return
	}
	if u.probing {
		u.stale = true
		return
	}
	u.probing, u.stale = true, false
	c := u.s.conn
	u.s.loop.Env().Go(func() {
		info, err := u.inspect()
		u.s.loop.Post(func() { u.probed(c, info, err) })
	})
}

// probed takes the result, if it is still about the connection that there is.
func (u *LUN) probed(c *conn, info *blockdev.Info, err error) {
	u.probing = false
	switch {
	case u.closed || u.s.conn == nil:
		return
	case u.s.conn != c:
		u.probe()
	case c.leaving != nil:
		return
	case err != nil:
		u.setDown(fmt.Errorf("LUN %d: %w", u.number, err))
		u.reprobe.Reset(probeAgain)
	case u.stale:
		u.probe()
	default:
		u.setUp(info)
	}
}

// ErrNoLUN is the error of a path to a unit that the target does not have.
var ErrNoLUN = errors.New("no such LUN")

// inspect is the probe: straight on from INQUIRY to MODE SENSE. Pages that an older target does not have are left out.
func (u *LUN) inspect() (*blockdev.Info, error) {
	inq, err := u.inquiry()
	if err != nil {
		return nil, err
	}
	if err := u.ready(); err != nil {
		return nil, err
	}
	info := &blockdev.Info{
		Identity: blockdev.Identity{Vendor: inq.Vendor, Product: inq.Product, Revision: inq.Revision},
	}
	if err := u.capacity(info); err != nil {
		return nil, err
	}
	pages, err := u.supportedPages()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(u.identity(info, &pages), u.limits(info, &pages), u.caching(info)); err != nil {
		return nil, err
	}
	return info, nil
}

// ask sends a command that reads, past the unit attentions that follow a login.
func (u *LUN) ask(cdb scsi.CDB, size int) ([]byte, error) {
	for attempt := 0; ; attempt++ {
		cmd := Command{CDB: cdb}
		if size > 0 {
			cmd.In = make([]byte, size)
		}
		n, err := u.Do(&cmd)
		var status *StatusError
		if err != nil && attempt < maxAttentions && errors.As(err, &status) && status.HasSense &&
			status.Sense.Key == scsi.KeyUnitAttention {
			sense := status.Sense
			u.s.loop.Post(func() { u.hearReset(sense) })
			continue
		}
		return cmd.In[:n:n], err
	}
}

func (u *LUN) inquiry() (inq scsi.InquiryData, err error) {
	var cdb scsi.CDB
	scsi.PutInquiry(&cdb, false, 0, 255)
	b, err := u.ask(cdb, 255)
	if err != nil {
		return inq, err
	}
	if inq, err = scsi.ParseInquiryData(b); err != nil {
		return inq, err
	}
	if !inq.Present() {
		return inq, fmt.Errorf("%w%s", ErrNoLUN, u.otherLUNs())
	}
	if inq.Type != scsi.TypeDisk {
		return inq, fmt.Errorf("not a disk: peripheral device type %d", inq.Type)
	}
	return inq, nil
}

// otherLUNs helps who mistyped the number.
func (u *LUN) otherLUNs() string {
	var cdb scsi.CDB
	scsi.PutReportLUNs(&cdb, pageSize)
	b, err := u.ask(cdb, pageSize)
	if err != nil {
		return ""
	}
	luns, err := scsi.ParseLUNList(b)
	if err != nil {
		return ""
	}
	var names []string
	for _, l := range luns {
		if n, ok := scsi.LUNNumber(l); ok && len(names) < 16 {
			names = append(names, fmt.Sprint(n))
		}
	}
	if len(names) == 0 {
		return ": the target offers this initiator none"
	}
	return ": the target has " + strings.Join(names, ", ")
}

func (u *LUN) ready() error {
	var cdb scsi.CDB
	scsi.PutTestUnitReady(&cdb)
	_, err := u.ask(cdb, 0)
	return err
}

func (u *LUN) capacity(info *blockdev.Info) error {
	var cdb scsi.CDB
	scsi.PutReadCapacity16(&cdb, 32)
	b, err := u.ask(cdb, 32)
	var c scsi.Capacity
	if refused(err) {
		scsi.PutReadCapacity10(&cdb)
		if b, err = u.ask(cdb, 8); err == nil {
			c, err = scsi.ParseCapacity10(b)
		}
	} else if err == nil {
		c, err = scsi.ParseCapacity16(b)
	}
	if err != nil {
		return fmt.Errorf("capacity: %w", err)
	}
	if err := c.Validate(); err != nil {
		return fmt.Errorf("capacity: %w", err)
	}
	info.Size, info.BlockSize, info.Trim = c.Bytes(), c.BlockSize, c.LBPME
	return nil
}

// refused says that the unit knows neither the command nor what was asked with it.
func refused(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.HasSense && status.Sense.Key == scsi.KeyIllegalRequest &&
		slices.Contains([]uint8{0x20, 0x24}, status.Sense.ASC)
}

// page reads a VPD page; nil if the unit has none.
func (u *LUN) page(p scsi.VPDPage) ([]byte, error) {
	var cdb scsi.CDB
	scsi.PutInquiry(&cdb, true, uint8(p), pageSize)
	b, err := u.ask(cdb, pageSize)
	if refused(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%v: %w", p, err)
	}
	return b, nil
}

func (u *LUN) supportedPages() (scsi.SupportedPages, error) {
	b, err := u.page(scsi.VPDSupported)
	if err != nil || b == nil {
		return scsi.SupportedPages{}, err
	}
	return scsi.ParseSupportedPages(b)
}

func (u *LUN) identity(info *blockdev.Info, pages *scsi.SupportedPages) error {
	if pages.Has(scsi.VPDSerial) {
		b, err := u.page(scsi.VPDSerial)
		if err != nil {
			return err
		}
		if b != nil {
			if info.Identity.Serial, err = scsi.ParseSerial(b); err != nil {
				return err
			}
		}
	}
	if !pages.Has(scsi.VPDIdentification) {
		return nil
	}
	b, err := u.page(scsi.VPDIdentification)
	if err != nil || b == nil {
		return err
	}
	ds, err := scsi.ParseDesignators(b)
	if err != nil {
		return err
	}
	if d, ok := scsi.LUNIdentity(ds); ok {
		info.Identity.ID = d.String()
	}
	return nil
}

// limits reads the block limits, characteristics and provisioning pages.
func (u *LUN) limits(info *blockdev.Info, pages *scsi.SupportedPages) error {
	bs := uint64(info.BlockSize)
	info.Limits = blockdev.Limits{MaxTransfer: maxTransfer, MaxWriteZeroes: maxZeroes}
	if pages.Has(scsi.VPDBlockLimits) {
		b, err := u.page(scsi.VPDBlockLimits)
		if err != nil {
			return err
		}
		if b != nil {
			l, err := scsi.ParseBlockLimits(b)
			if err != nil {
				return err
			}
			applyLimits(info, &l, bs)
		}
	}
	info.Limits.MaxTransfer -= info.Limits.MaxTransfer % bs
	info.Limits.MaxWriteZeroes -= info.Limits.MaxWriteZeroes % bs
	if err := u.provisioning(info, pages); err != nil {
		return err
	}
	info.FastZero = !u.noWriteSame
	return u.rotation(info, pages)
}

func applyLimits(info *blockdev.Info, l *scsi.BlockLimits, bs uint64) {
	lim := &info.Limits
	if l.MaxTransfer > 0 {
		lim.MaxTransfer = min(lim.MaxTransfer, uint64(l.MaxTransfer)*bs)
	}
	lim.OptimalTransfer = min(uint64(l.OptimalTransfer)*bs, lim.MaxTransfer)
	if l.MaxWriteSame > 0 && l.MaxWriteSame < maxZeroes/bs {
		lim.MaxWriteZeroes = l.MaxWriteSame * bs
	}
	info.Trim = info.Trim && l.MaxUnmapBlocks > 0 && l.MaxUnmapRanges > 0
	lim.MaxTrim = min(uint64(l.MaxUnmapBlocks)*bs, maxUnmap)
	lim.TrimGranularity = uint64(l.UnmapGranularity) * bs
	if l.UGAValid {
		lim.TrimAlignment = uint64(l.UnmapAlignment) * bs
	}
}

func (u *LUN) provisioning(info *blockdev.Info, pages *scsi.SupportedPages) error {
	if !info.Trim || !pages.Has(scsi.VPDProvisioning) {
		info.Trim = false
		return nil
	}
	b, err := u.page(scsi.VPDProvisioning)
	if err != nil || b == nil {
		info.Trim = false
		return err
	}
	p, err := scsi.ParseProvisioning(b)
	if err != nil {
		return err
	}
	info.Trim, info.ZeroUnmap = p.LBPU, p.LBPWS
	return nil
}

func (u *LUN) rotation(info *blockdev.Info, pages *scsi.SupportedPages) error {
	if !pages.Has(scsi.VPDCharacteristics) {
		return nil
	}
	b, err := u.page(scsi.VPDCharacteristics)
	if err != nil || b == nil {
		return err
	}
	c, err := scsi.ParseCharacteristics(b)
	if err != nil {
		return err
	}
	info.Rotational = c.RotationRate > scsi.NonRotating
	return nil
}

// caching finds out whether completed writes may be volatile. A unit that does not say is taken for one with a cache: a flush
// too many costs time, one too few costs data.
func (u *LUN) caching(info *blockdev.Info) error {
	info.WriteCache = true
	const cachingPage = 0x08
	var cdb scsi.CDB
	scsi.PutModeSense10(&cdb, cachingPage, 0, pageSize)
	b, err := u.ask(cdb, pageSize)
	parse := scsi.ParseMode10
	if refused(err) {
		scsi.PutModeSense6(&cdb, cachingPage, 0, 255)
		b, err = u.ask(cdb, 255)
		parse = scsi.ParseMode6
	}
	if refused(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("mode sense: %w", err)
	}
	m, err := parse(b)
	if err != nil {
		return err
	}
	info.ReadOnly, info.FUA = m.WriteProtected, m.DPOFUA
	if m.HasCaching {
		info.WriteCache = m.Caching.WCE
	}
	return nil
}
