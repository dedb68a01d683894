package cli

import (
	"path"
	"slices"
	"strings"

	"kith"
	"kith/internal/api"
)

// filterStatus keeps what the selectors match: names of applications, units and
// machines, also with wildcards; status words; ports; "exposed" and "not
// exposed". Principals and subordinates of what matched stay, as do its
// machines and applications (CLI reference, section 6).
func filterStatus(s *api.Status, selectors []string) *api.Status {
	if len(selectors) == 0 {
		return s
	}
	sel := joinNot(selectors)
	units := map[kith.UnitName]bool{}
	apps := map[kith.AppName]bool{}
	machines := map[kith.MachineID]bool{}
	for _, m := range s.Machines {
		machines[m.ID] = matchAny(sel, string(m.ID), string(m.Agent.Current))
	}
	for _, a := range s.Apps {
		apps[a.Name] = matchAny(sel, string(a.Name), exposure(a.Exposed))
	}
	for _, u := range s.Units {
		words := append(portList(u.Ports), string(u.Name), string(u.Workload.Current), string(u.Agent.Current))
		if apps[u.App] || u.Principal == "" && machines[u.Machine] || matchAny(sel, words...) {
			keepUnit(s, u, units)
		}
	}
	for _, u := range s.Units {
		if units[u.Name] {
			apps[u.App] = true
			machines[u.Machine] = true
		}
	}
	return cutStatus(s, apps, units, machines)
}

// keepUnit marks a unit and those it shares a container with.
func keepUnit(s *api.Status, u api.UnitStatus, units map[kith.UnitName]bool) {
	units[u.Name] = true
	if p := s.UnitOf(u.Principal); p != nil {
		units[p.Name] = true
	}
	for _, sub := range u.Subordinates {
		units[sub] = true
	}
}

// cutStatus is s without what is not marked. A relation stays with either of its ends:
// who asks for one application wants to see what it is integrated with.
func cutStatus(s *api.Status, apps map[kith.AppName]bool, units map[kith.UnitName]bool, machines map[kith.MachineID]bool) *api.Status {
	cut := *s
	cut.Apps, cut.Units, cut.Machines, cut.Relations, cut.Storage = nil, nil, nil, nil, nil
	for _, a := range s.Apps {
		if apps[a.Name] {
			a.Units = slices.DeleteFunc(slices.Clone(a.Units), func(u kith.UnitName) bool { return !units[u] })
			cut.Apps = append(cut.Apps, a)
		}
	}
	for _, u := range s.Units {
		if units[u.Name] {
			cut.Units = append(cut.Units, u)
		}
	}
	for _, m := range s.Machines {
		if machines[m.ID] {
			cut.Machines = append(cut.Machines, m)
		}
	}
	for _, st := range s.Storage {
		if units[st.Unit] {
			cut.Storage = append(cut.Storage, st)
		}
	}
	for _, r := range s.Relations {
		if apps[r.Provider.App] || apps[r.Requirer.App] {
			cut.Relations = append(cut.Relations, r)
		}
	}
	return &cut
}

// joinNot puts the two words "not exposed" together.
func joinNot(words []string) []string {
	var out []string
	for i := 0; i < len(words); i++ {
		w := strings.ToLower(words[i])
		if w == "not" && i+1 < len(words) {
			i++
			w += " " + strings.ToLower(words[i])
		}
		out = append(out, w)
	}
	return out
}

func exposure(exposed bool) string {
	if exposed {
		return "exposed"
	}
	return "not exposed"
}

// matchAny reports whether one of the patterns matches one of the words.
func matchAny(patterns []string, words ...string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		return slices.ContainsFunc(words, func(w string) bool {
			ok, err := path.Match(p, w)
			return p == w || err == nil && ok
		})
	})
}
