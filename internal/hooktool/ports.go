package hooktool

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"kith"
	"kith/charm"
	"kith/internal/core"
)

// parsePorts reads "80", "80/udp", "80-90/tcp" or "icmp" (section 9.3).
func parsePorts(s string) (core.Port, error) {
	ports, protocol, given := strings.Cut(strings.ToLower(s), "/")
	if !given {
		protocol = "tcp"
		if ports == "icmp" {
			return core.Port{Protocol: "icmp"}, nil
		}
	}
	bounds := strings.Split(ports, "-")
	if len(bounds) > 2 {
		return core.Port{}, usagef("invalid port range %q", ports)
	}
	var p [2]int
	for n, text := range bounds {
		port, err := strconv.Atoi(text)
		if err != nil {
			return core.Port{}, usagef("invalid port %q: %v", text, err)
		}
		p[n] = port
	}
	if len(bounds) == 1 {
		p[1] = p[0]
	}
	return checkPorts(core.Port{Protocol: protocol, From: p[0], To: p[1]})
}

func checkPorts(p core.Port) (core.Port, error) {
	switch {
	case p.Protocol != "tcp" && p.Protocol != "udp" && p.Protocol != "icmp":
		return p, usagef(`invalid protocol %q, expected "tcp", "udp", or "icmp"`, p.Protocol)
	case p.Protocol == "icmp":
		return p, usagef(`protocol "icmp" doesn't support any ports; got "%d"`, p.From)
	case p.From > p.To:
		return p, usagef("invalid port range %s", p)
	case p.From < 0 || p.To > 65535:
		return p, usagef("port range bounds must be between 0 and 65535, got %d-%d", p.From, p.To)
	}
	return p, nil
}

func sameRange(a, b core.Port) bool {
	a.Endpoint, b.Endpoint = "", ""
	return a == b
}

// openRanges are the unit's port ranges as they will be when the hook commits. Those
// the hook itself asked for come last; there are asked of them.
func (r *Run) openRanges() (open []core.Port, asked int) {
	open = slices.Clone(r.ctx.Ports)
	for _, w := range r.ports {
		at := slices.Index(open, w.Port)
		switch {
		case !w.Close && at < 0:
			open = append(open, w.Port)
			asked++
		case w.Close && at >= 0:
			if at >= len(open)-asked {
				asked--
			}
			open = slices.Delete(open, at, at+1)
		}
	}
	return open, asked
}

// openPorts buffers the opening of p.
func (r *Run) openPorts(p core.Port) error {
	open, asked := r.openRanges()
	for n, o := range open {
		if !p.Conflicts(o) {
			continue
		}
		earlier := ""
		if n >= len(open)-asked {
			earlier = " requested earlier"
		}
		return kith.Errorf(kith.Conflict, "cannot open %s (unit %q): port range conflicts with %s (unit %q)%s",
			p, r.ctx.Unit, o, r.ctx.Unit, earlier)
	}
	everywhere := p
	everywhere.Endpoint = ""
	if slices.Contains(open, p) || slices.Contains(open, everywhere) {
		return nil
	}
	r.changePorts(p, false)
	return nil
}

// closePorts buffers the closing of p. Without an endpoint it is closed wherever it
// is open; with one, a range open everywhere stays open for the other endpoints.
func (r *Run) closePorts(p core.Port) {
	open, _ := r.openRanges()
	for _, o := range open {
		switch {
		case !sameRange(o, p):
		case p.Endpoint == "" || o.Endpoint == p.Endpoint:
			r.changePorts(o, true)
		case o.Endpoint == "":
			r.changePorts(o, true)
			for _, name := range r.ctx.Bindings {
				other := p
				other.Endpoint = name
				if name != p.Endpoint && name != charm.JujuInfo && !slices.Contains(open, other) {
					r.changePorts(other, false)
				}
			}
		}
	}
}

// changePorts buffers one change; it and its opposite cancel each other.
func (r *Run) changePorts(p core.Port, closed bool) {
	opposite := core.PortWrite{Port: p, Close: !closed}
	if at := slices.Index(r.ports, opposite); at >= 0 {
		r.ports = slices.Delete(r.ports, at, at+1)
		return
	}
	r.ports = append(r.ports, core.PortWrite{Port: p, Close: closed})
}

// portCall reads what open-port and close-port are called with: one port range, once
// for each endpoint it is for.
func (i *invocation) portCall() ([]core.Port, error) {
	endpoints := i.text("NAMES", "only for these endpoints, separated by commas", "endpoints")
	warn := i.ignoreFormat()
	args, err := i.parse()
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return nil, usageError("no port or range specified")
	}
	p, err := parsePorts(args[0])
	if err != nil {
		return nil, err
	}
	if err := noMore(args[1:]); err != nil {
		return nil, err
	}
	warn()
	var ports []core.Port
	for name := range strings.SplitSeq(*endpoints, ",") {
		if name = strings.TrimSpace(name); name != "" {
			p.Endpoint = name
			ports = append(ports, p)
		}
	}
	if len(ports) == 0 {
		ports = append(ports, p)
	}
	return ports, nil
}

func openPort(i *invocation) error {
	ports, err := i.portCall()
	if err != nil {
		return err
	}
	for _, p := range ports { // the same range each time: if one conflicts, the first does
		if err := i.run.openPorts(p); err != nil {
			return err
		}
	}
	return nil
}

func closePort(i *invocation) error {
	ports, err := i.portCall()
	if err != nil {
		return err
	}
	for _, p := range ports {
		i.run.closePorts(p)
	}
	return nil
}

func openedPorts(i *invocation) error {
	endpoints := i.boolean("print which endpoints each range is open for", "endpoints")
	out := i.anyFormat()
	if err := i.parseOptionsOnly(); err != nil {
		return err
	}
	open, _ := i.run.openRanges()
	slices.SortFunc(open, func(a, b core.Port) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To),
			cmp.Compare(a.Endpoint, b.Endpoint))
	})
	lines := []string{}
	for len(open) > 0 {
		n := 1
		for n < len(open) && sameRange(open[0], open[n]) {
			n++
		}
		line := open[0].String()
		if *endpoints {
			line += " (" + endpointList(open[:n]) + ")"
		}
		lines, open = append(lines, line), open[n:]
	}
	return out.print(lines)
}

// endpointList names the endpoints of equal ranges, which are sorted by endpoint.
func endpointList(ports []core.Port) string {
	if ports[0].Endpoint == "" {
		return "*"
	}
	names := make([]string, len(ports))
	for n, p := range ports {
		names[n] = p.Endpoint
	}
	return strings.Join(names, ", ")
}
