package target

import "github.com/hawser-storage/hawser/iscsi/scsi"

// groupState is what a target port group is in, where it is not active/optimized.
type groupState struct {
	state     scsi.ALUAState
	preferred bool
	changed   bool // by SetGroup
}

// groupStateOf is how the portal group stands.
func (t *Target) groupStateOf(tag uint16) groupState { return t.groups[tag] }

// admitGroup refuses commands that the port's group is in no state for (SPC-4).
func (t *task) admitGroup() {
	state := t.conn.target.groupStateOf(t.conn.portal.tag).state
	if t.op.standby {
		return
	}
	switch state {
	case scsi.ALUAStandby:
		t.failCode(scsi.KeyNotReady, scsi.CodeStandby)
	case scsi.ALUAUnavailable:
		t.failCode(scsi.KeyNotReady, scsi.CodeUnavailable)
	case scsi.ALUAOffline:
		t.failCode(scsi.KeyNotReady, scsi.CodeOffline)
	case scsi.ALUATransitioning:
		t.failCode(scsi.KeyNotReady, scsi.CodeTransitioning)
	}
}

// portGroups describes all groups, for REPORT TARGET PORT GROUPS.
func (t *Target) portGroups() []scsi.PortGroup {
	var groups []scsi.PortGroup
	at := map[uint16]int{}
	for _, p := range t.portals {
		i, ok := at[p.tag]
		if !ok {
			i = len(groups)
			at[p.tag] = i
			groups = append(groups, t.portGroup(p.tag))
		}
		if len(groups[i].Ports) < 255 {
			groups[i].Ports = append(groups[i].Ports, p.relativePort())
		}
	}
	return groups
}

func (t *Target) portGroup(tag uint16) scsi.PortGroup {
	g := t.groupStateOf(tag)
	pg := scsi.PortGroup{ID: tag, State: g.state, Preferred: g.preferred}
	pg.Supported = scsi.ALUASupActiveOptimized | scsi.ALUASupActiveNonOptimized | scsi.ALUASupStandby | scsi.ALUASupUnavailable |
		scsi.ALUASupOffline | scsi.ALUASupTransitioning
	if g.changed {
		pg.Status = 2
	}
	return pg
}

func (p *portal) relativePort() uint16 { return uint16(p.index + 1) }
