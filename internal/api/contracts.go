package api

import (
	"maps"
	"slices"
	"time"

	"kith"
	"kith/contract"
	"kith/internal/core"
	"kith/internal/shipped"
)

// Contracts are the contracts that apply in a model, and what they do.
type Contracts struct {
	// Mode is the model's; Endpoints have one of their own, sorted.
	Mode      core.ContractMode `json:"mode"`
	Endpoints []EndpointMode    `json:"endpoints,omitempty"`
	// Contracts are sorted by name: those the model was told, and of those that come with
	// kith the ones it has none of its own for.
	Contracts []Contract `json:"contracts"`
}

// EndpointMode is the mode of contracts of one endpoint.
type EndpointMode struct {
	App      kith.AppName      `json:"application"`
	Endpoint kith.EndpointName `json:"endpoint"`
	Mode     core.ContractMode `json:"mode"`
}

// Contract is one contract that applies in a model.
type Contract struct {
	Interface   string          `json:"interface"`
	Version     int             `json:"version"`
	Status      contract.Status `json:"status,omitempty"`
	Description string          `json:"description,omitempty"`
	// Shipped is true if it comes with kith; else Source and Added say where it is from.
	Shipped bool      `json:"shipped,omitempty"`
	Source  string    `json:"source,omitempty"`
	Added   time.Time `json:"added,omitzero"`
	// Relations counts the relations it applies to.
	Relations int `json:"relations"`
	// Problem says why a contract cannot be used; it is then not checked.
	Problem string `json:"problem,omitempty"`
	// Text is the contract in kith's own form; there only if one contract was asked for.
	Text string `json:"text,omitempty"`
}

// ContractsOf lists the contracts that apply in a model.
func ContractsOf(m *core.Model) Contracts {
	out := Contracts{Mode: core.ContractsWarn, Contracts: []Contract{}}
	info := m.Info()
	if info == nil {
		return out
	}
	if info.Contracts != core.ContractsDefault {
		out.Mode = info.Contracts
	}
	for a := range m.Apps() {
		for _, endpoint := range slices.Sorted(maps.Keys(a.Contracts)) {
			out.Endpoints = append(out.Endpoints, EndpointMode{a.Name, endpoint, a.Contracts[endpoint]})
		}
	}
	uses := map[string]int{}
	for r := range m.Relations() {
		uses[contract.FoldName(r.Interface)]++
	}
	names := shipped.Names()
	for t := range m.Contracts() {
		names = append(names, t.Row.Interface)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		out.Contracts = append(out.Contracts, contractOf(m.Contract(name), uses[name]))
	}
	return out
}

func contractOf(t *core.Terms, relations int) Contract {
	c := Contract{Interface: t.Interface, Version: t.Version, Shipped: t.Shipped, Relations: relations, Problem: t.Problem}
	if t.Checker != nil {
		described := t.Checker.Contract()
		c.Status, c.Description = described.Status, described.Description
	}
	if t.Row != nil {
		c.Source, c.Added = t.Row.Source, t.Row.Added
	}
	return c
}

// ContractOf is one contract with its text, by the name of its interface. Errors: NotFound.
func ContractOf(m *core.Model, name string) (Contract, error) {
	t := m.Contract(name)
	if t == nil {
		return Contract{}, kith.Errorf(kith.NotFound, "contract %q not found", name).WithHint("see 'kith contract list'")
	}
	uses := 0
	for r := range m.Relations() {
		if contract.SameInterface(r.Interface, name) {
			uses++
		}
	}
	c := contractOf(t, uses)
	if t.Row != nil {
		c.Text = t.Row.Text
	} else {
		c.Text = string(t.Checker.Contract().YAML())
	}
	return c, nil
}

// RelationContract is what the contract of its interface says of a relation.
type RelationContract struct {
	core.RelationVerdict
	// Stuck is true if something is missing and nobody has anything to do any more that
	// could bring it: the model is settled. Before, who waits has no reason to worry.
	Stuck bool `json:"stuck,omitempty"`
}

// relationContract is the verdict of a relation; nil if no contract says anything about it.
func relationContract(m *core.Model, r *core.Relation, settled bool) *RelationContract {
	v := m.RelationVerdict(r)
	if v == nil {
		return nil
	}
	return &RelationContract{*v, v.Stuck(settled)}
}

// Summary is the verdict in a line; empty if all is as it must be.
func (c *RelationContract) Summary() string { return c.RelationVerdict.Summary(c.Stuck) }

// AddContracts adds to a status what contracts say of its relations.
func (s *Status) AddContracts(m *core.Model, settled bool) {
	for i := range s.Relations {
		if r := m.Relation(s.Relations[i].ID); r != nil {
			s.Relations[i].Contract = relationContract(m, r, settled)
		}
	}
}

// AddContracts adds to what show-unit shows what contracts say of the unit's relations.
func (s *ShowUnit) AddContracts(m *core.Model, settled bool) {
	for i := range s.Relations {
		if r := m.Relation(s.Relations[i].ID); r != nil {
			s.Relations[i].Contract = relationContract(m, r, settled)
		}
	}
}
