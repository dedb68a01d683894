package ops

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kith"
)

// Protocol of a port.
type Protocol string

// The protocols.
const (
	ProtocolTCP  Protocol = "tcp"
	ProtocolUDP  Protocol = "udp"
	ProtocolICMP Protocol = "icmp"
)

// Port is a port or a range of ports of one protocol; with icmp From and To are 0.
type Port struct {
	Protocol Protocol
	From, To int
}

// TCP is one TCP port.
func TCP(port int) Port { return Port{ProtocolTCP, port, port} }

// UDP is one UDP port.
func UDP(port int) Port { return Port{ProtocolUDP, port, port} }

// ICMP is the protocol of ping.
func ICMP() Port { return Port{Protocol: ProtocolICMP} }

// String is "80/tcp", "8000-8010/udp" or "icmp".
func (p Port) String() string {
	switch {
	case p.Protocol == ProtocolICMP:
		return string(ProtocolICMP)
	case p.From == p.To:
		return fmt.Sprintf("%d/%s", p.From, p.Protocol)
	}
	return fmt.Sprintf("%d-%d/%s", p.From, p.To, p.Protocol)
}

// parsePort reads what String writes.
func parsePort(s string) (Port, error) {
	if s == string(ProtocolICMP) {
		return ICMP(), nil
	}
	numbers, protocol, ok := strings.Cut(s, "/")
	from, to, isRange := strings.Cut(numbers, "-")
	if !isRange {
		to = from
	}
	a, errA := strconv.Atoi(from)
	b, errB := strconv.Atoi(to)
	if !ok || errA != nil || errB != nil {
		return Port{}, kith.Errorf(kith.Internal, "cannot read the port %q", s)
	}
	return Port{Protocol(protocol), a, b}, nil
}

// OpenPort opens a port, of 1 to 65535, for everybody, or for the endpoints named. It takes
// effect when the hook succeeds. Errors: [*ModelError] for what is no port or endpoint, and for a range that
// overlaps another open one; on Kubernetes for every range.
func (u *Unit) OpenPort(p Port, endpoints ...kith.EndpointName) error {
	return u.m.f.backend.OpenPort(p, endpoints)
}

// ClosePort closes what OpenPort opened; a port that is not open is no error.
func (u *Unit) ClosePort(p Port, endpoints ...kith.EndpointName) error {
	return u.m.f.backend.ClosePort(p, endpoints)
}

// OpenedPorts are the unit's open ports, those opened in this dispatch included.
func (u *Unit) OpenedPorts() ([]Port, error) { return u.m.f.backend.OpenedPorts() }

// SetPorts opens these ports for everybody and closes all others, so that no ports close all. It stops
// at the first that is refused. A port that is open for some endpoints only is open already, and stays so.
func (u *Unit) SetPorts(ports ...Port) error {
	open, err := u.OpenedPorts()
	if err != nil {
		return err
	}
	for _, p := range open {
		if !slices.Contains(ports, p) {
			if err := u.ClosePort(p); err != nil {
				return err
			}
		}
	}
	for _, p := range slices.CompactFunc(sortedPorts(ports), func(a, b Port) bool { return a == b }) {
		if !slices.Contains(open, p) {
			if err := u.OpenPort(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func sortedPorts(ports []Port) []Port {
	sorted := slices.Clone(ports)
	slices.SortFunc(sorted, func(a, b Port) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), a.From-b.From, a.To-b.To)
	})
	return sorted
}
