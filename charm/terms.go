package charm

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var termPattern = regexp.MustCompile(`^[a-z](-?[a-z0-9]+)+$`)

// checkTerms holds every term to [tenant:][owner/]name[/revision] (section 11).
func (p *metaParser) checkTerms() error {
	for i, term := range p.meta.Terms {
		if reason := termProblem(term); reason != "" {
			return p.root.get("terms").list[i].refuse("a term is [TENANT:][OWNER/]NAME[/REVISION]", "%s", reason)
		}
	}
	return nil
}

// termProblem says in Juju's words what is wrong with a term, or nothing. A
// second part that is no number makes the first one the owner.
func termProblem(term string) string {
	tenant, rest, hasTenant := strings.Cut(term, ":")
	if !hasTenant {
		rest = term
	} else if !termPattern.MatchString(tenant) {
		return fmt.Sprintf("wrong term tenant format %q", tenant)
	}
	parts := strings.Split(rest, "/")
	owner, name, revision := "", parts[0], 0
	hasOwner := false
	switch len(parts) {
	case 1:
	case 2:
		if n, err := strconv.Atoi(parts[1]); err == nil {
			revision = n
		} else {
			owner, name, hasOwner = parts[0], parts[1], true
		}
	case 3:
		n, err := strconv.Atoi(parts[2])
		if err != nil {
			return fmt.Sprintf("invalid revision number %q %v", parts[2], err)
		}
		owner, name, revision, hasOwner = parts[0], parts[1], n, true
	default:
		return fmt.Sprintf("unknown term id format %q", term)
	}
	switch {
	case !termPattern.MatchString(name):
		return fmt.Sprintf("wrong term name format %q", name)
	case hasOwner && !termPattern.MatchString(owner):
		return fmt.Sprintf("wrong owner format %q", owner)
	case revision < 0:
		return "negative term revision"
	}
	return ""
}
