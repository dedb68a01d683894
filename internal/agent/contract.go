package agent

import (
	"fmt"
	"strings"

	"kith/contract"
	"kith/internal/api"
	"kith/internal/core"
)

// moduleContract is the logger of what contracts say.
const moduleContract = "kith.contract"

// logVerdicts writes what contracts say of what a hook has committed into the model's log:
// a warning for each value that is not allowed; what is still missing is for those who look closer.
func (u *unit) logVerdicts(verdicts []core.BagVerdict) {
	for _, v := range verdicts {
		at := fmt.Sprintf("contract of interface %q: relation %d, bag of %s", v.Interface, v.Relation, v.Owner)
		for _, x := range v.Violations {
			u.log(api.LevelWarning, moduleContract, fmt.Sprintf("%s, written by charm %q: %s", at, v.Charm, x))
		}
		for _, n := range v.Unchecked {
			u.log(api.LevelDebug, moduleContract, fmt.Sprintf("%s: not checked: %s", at, n))
		}
		switch v.State {
		case contract.Absent, contract.Partial:
			u.log(api.LevelDebug, moduleContract, fmt.Sprintf("%s is %s: waiting for %s", at, v.State, strings.Join(v.Missing, ", ")))
		case contract.Valid:
			u.log(api.LevelDebug, moduleContract, fmt.Sprintf("%s is valid", at))
		}
	}
}
