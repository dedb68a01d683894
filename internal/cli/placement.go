package cli

import (
	"regexp"
	"strings"
)

// placement is one directive of --to: a machine, a container on one, a new container, key=value, or a
// name that the cloud knows.
var placement = regexp.MustCompile(`^(` + machineID + `|(lxd|kvm)(:` + machineID + `)?|[a-z][a-z-]*=\S+|[A-Za-z0-9][A-Za-z0-9.-]*)$`)

const machineID = `[0-9]+(/[a-z]+/[0-9]+)*`

// checkPlacement refuses a --to that is none (CLI reference, section 7.1). What it says is not
// followed: every unit runs on this computer.
func checkPlacement(to string) error {
	if to == "" {
		return nil
	}
	for _, directive := range strings.Split(to, ",") {
		if !placement.MatchString(directive) {
			return usagef("invalid --to parameter %q", directive)
		}
	}
	return nil
}
