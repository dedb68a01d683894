package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// maxMessage is how much of a message a table shows (CLI reference, section 6.1).
const maxMessage = 120

// maxVersion is how much of a workload version a table shows.
const maxVersion = 15

// statusTable lays out a status as tables (section 6). Every section but the
// first is preceded by an empty line, and left out if it has no rows.
type statusTable struct {
	s         *api.Status
	clock     clock
	palette   palette
	relations bool
	storage   bool
}

// String is the whole text.
func (t *statusTable) String() string {
	sections := []*table{t.model(), t.apps(), t.units(), t.machines()}
	if t.relations {
		sections = append(sections, t.integrations())
	}
	if t.storage {
		sections = append(sections, storageSection(t.s.Storage))
	}
	var text []string
	for i, s := range sections {
		if i == 0 || len(s.rows) > 1 {
			text = append(text, s.String())
		}
	}
	return strings.Join(text, "\n")
}

func (t *statusTable) model() *table {
	m := t.s.Model
	head := []string{"Model", "Controller", "Cloud/Region", "Version", "SLA", "Timestamp"}
	row := []string{m.Name, controllerName, cloudName + "/" + regionName, jujuVersion, "unsupported", t.clock.stamp(t.s.Timestamp)}
	if m.Status.Current != api.Available {
		head, row = append(head, "Notes"), append(row, strings.TrimSpace(string(m.Status.Current)+" "+m.Status.Message))
	}
	tb := &table{}
	tb.add(head...)
	tb.add(row...)
	return tb
}

func (t *statusTable) apps() *table {
	tb := &table{right: map[int]bool{3: true, 6: true}}
	tb.add("App", "Version", "Status", "Scale", "Charm", "Channel", "Rev", "Exposed", "Message")
	for _, a := range t.s.Apps {
		tb.addCells(cell{text: string(a.Name)}, cell{text: shortVersion(a.Version)}, t.status(a.Status.Current),
			cell{text: strconv.Itoa(len(a.Units))}, cell{text: a.CharmName}, cell{}, cell{text: strconv.Itoa(a.CharmRev)},
			cell{text: yesNo(a.Exposed)}, cell{text: shorten(a.Status.Message, maxMessage)})
	}
	return tb
}

func (t *statusTable) units() *table {
	tb := &table{}
	tb.add("Unit", "Workload", "Agent", "Machine", "Public address", "Ports", "Message")
	for _, u := range t.s.Units {
		if u.Principal != "" && t.s.UnitOf(u.Principal) != nil {
			continue // it follows its principal
		}
		t.unit(tb, &u, "")
		for _, name := range u.Subordinates {
			if sub := t.s.UnitOf(name); sub != nil {
				t.unit(tb, sub, "  ")
			}
		}
	}
	return tb
}

func (t *statusTable) unit(tb *table, u *api.UnitStatus, indent string) {
	name := indent + string(u.Name)
	if u.Leader {
		name += "*"
	}
	machine := ""
	if u.Principal == "" {
		machine = string(u.Machine)
	}
	tb.addCells(cell{text: name}, t.status(u.Workload.Current), t.status(u.Agent.Current), cell{text: machine},
		cell{text: u.Address}, cell{text: portSummary(u.Ports)}, cell{text: shorten(unitMessage(u), maxMessage)})
}

func (t *statusTable) machines() *table {
	tb := &table{}
	tb.add("Machine", "State", "Address", "Inst id", "Base", "AZ", "Message")
	for _, m := range t.s.Machines {
		address := ""
		if len(m.Addresses) > 0 {
			address = m.Addresses[0]
		}
		tb.addCells(cell{text: string(m.ID)}, t.status(m.Agent.Current), cell{text: address}, cell{text: m.Host},
			cell{text: shortBase(m.Base)}, cell{}, cell{text: shorten(m.Instance.Message, maxMessage)})
	}
	return tb
}

func (t *statusTable) integrations() *table {
	tb := &table{}
	tb.add("Integration provider", "Requirer", "Interface", "Type", "Message")
	for _, r := range t.s.Relations {
		message := ""
		if r.Status.Current != kith.Joined {
			message = strings.TrimSpace(string(r.Status.Current) + "  " + r.Status.Message)
		}
		if r.Contract != nil {
			message = strings.TrimPrefix(strings.TrimSuffix(message+"; "+r.Contract.Summary(), "; "), "; ")
		}
		tb.add(r.Provider.String(), r.Requirer.String(), r.Interface, r.Type, shorten(message, maxMessage))
	}
	return tb
}

func (t *statusTable) status(s kith.Status) cell {
	return cell{text: string(s), paint: t.palette.status}
}

// hookRunning finds the hook in an agent's message.
var hookRunning = regexp.MustCompile(`^running (?:action )?(\S+)`)

// unitMessage is what the table says of a unit (section 6.1).
func unitMessage(u *api.UnitStatus) string {
	message := u.Workload.Message
	switch u.Agent.Current {
	case kith.Allocating:
		if message == "" {
			message = u.Agent.Message
		}
	case kith.Executing:
		if m := hookRunning.FindStringSubmatch(u.Agent.Message); m != nil {
			message = "(" + m[1] + ") " + message
		}
	}
	return message
}

// shorten cuts a text to limit characters, the last three of them dots.
func shorten(s string, limit int) string {
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	return string(runes[:limit-3]) + "..."
}

// shortVersion is the first line of a workload version, shortened.
func shortVersion(s string) string {
	first, _, _ := strings.Cut(s, "\n")
	return shorten(first, maxVersion)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// portRange is "80" or "80-90".
func portRange(from, to int) string {
	if from == to {
		return strconv.Itoa(from)
	}
	return fmt.Sprintf("%d-%d", from, to)
}

// portSummary groups ports by protocol and merges consecutive numbers:
// 80,1555-1557/tcp 53/udp. icmp has no numbers and comes last.
func portSummary(ports []core.Port) string {
	ports = slices.Clone(ports)
	slices.SortFunc(ports, func(a, b core.Port) int {
		if a.Protocol != b.Protocol {
			if a.Protocol == "icmp" || b.Protocol != "icmp" && a.Protocol > b.Protocol {
				return 1
			}
			return -1
		}
		return a.From - b.From
	})
	var groups []string
	for len(ports) > 0 {
		n := 1
		for n < len(ports) && ports[n].Protocol == ports[0].Protocol {
			n++
		}
		groups = append(groups, protocolSummary(ports[:n]))
		ports = ports[n:]
	}
	return strings.Join(groups, " ")
}

// protocolSummary merges the ranges of one protocol, given in order.
func protocolSummary(ports []core.Port) string {
	if ports[0].Protocol == "icmp" {
		return "icmp"
	}
	var ranges []string
	from, to := ports[0].From, ports[0].To
	for _, p := range ports[1:] {
		if p.From > to+1 {
			ranges = append(ranges, portRange(from, to))
			from, to = p.From, p.To
			continue
		}
		to = max(to, p.To)
	}
	ranges = append(ranges, portRange(from, to))
	return strings.Join(ranges, ",") + "/" + ports[0].Protocol
}
