package cli

import (
	"slices"

	"kith"
	"kith/contract"
	"kith/internal/api"
	"kith/internal/core"
)

// What documents say of a relation's contract.
type (
	contractDoc struct {
		Version int            `json:"version"`
		State   contract.State `json:"state"`
		// Stuck is true if something is missing and the model is settled.
		Stuck bool `json:"stuck,omitempty"`
		// WaitingFor are the keys that are missing, by the role that has to write them.
		WaitingFor map[kith.Role][]string `json:"waiting-for,omitempty"`
		Violations []violationDoc         `json:"violations,omitempty"`
	}
	violationDoc struct {
		Owner string            `json:"owner"` // of the databag: an application or a unit
		Charm string            `json:"charm"`
		Mode  core.ContractMode `json:"mode"`
		contract.Violation
	}
)

func contractDocument(c *api.RelationContract) *contractDoc {
	if c == nil {
		return nil
	}
	d := &contractDoc{Version: c.Version, State: c.State, Stuck: c.Stuck}
	for _, w := range c.Waiting {
		if d.WaitingFor == nil {
			d.WaitingFor = map[kith.Role][]string{}
		}
		d.WaitingFor[w.Role] = w.Keys
	}
	for _, b := range c.Bags {
		for _, x := range b.Violations {
			d.Violations = append(d.Violations, violationDoc{b.Owner, b.Charm, b.Mode, x})
		}
	}
	return d
}

// worstFirst orders the states by how much they want to be seen.
var worstFirst = []contract.State{contract.Violating, contract.Partial, contract.Absent, contract.Valid}

// relatedContract is what contracts say of the relation behind a line of an application: of several by
// the same endpoint and to the same application, the one that is worst off.
func relatedContract(s *api.Status, app kith.AppName, line api.AppRelation) *contractDoc {
	var worst *api.RelationContract
	for i := range s.Relations {
		r := &s.Relations[i]
		own, other := r.Provider, r.Requirer
		if own.App != app || own.Endpoint != line.Endpoint {
			own, other = other, own
		}
		if r.Contract == nil || own.App != app || own.Endpoint != line.Endpoint || other.App != line.Related {
			continue
		}
		if worst == nil || slices.Index(worstFirst, r.Contract.State) < slices.Index(worstFirst, worst.State) {
			worst = r.Contract
		}
	}
	return contractDocument(worst)
}
