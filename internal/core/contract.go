package core

import (
	"iter"
	"maps"
	"time"

	"kith"
	"kith/charm"
	"kith/contract"
	"kith/internal/shipped"
)

// Contract is what the model was told an interface means. It goes before the contract
// that comes with kith.
type Contract struct {
	// Interface is the name as [contract.FoldName] writes it: one contract per interface.
	Interface string `json:"interface"`
	// Text is the contract in kith's own form, references written out.
	Text string `json:"text"`
	// Source is where it came from, for people.
	Source string    `json:"source,omitempty"`
	Added  time.Time `json:"added"`
	Rev    uint64    `json:"rev"` // revision at which it was added
}

// Key is the interface's name, folded.
func (c *Contract) Key() Key { return Key{KindContract, c.Interface} }

// MaxContractBytes bounds the text of a contract that is added, and what of it is
// stored. The largest of the public catalogue has 25 KB.
const MaxContractBytes = 256 << 10

// ContractMode says what contracts do.
type ContractMode string

// The modes.
const (
	ContractsOff     ContractMode = "off"     // nothing is checked
	ContractsWarn    ContractMode = "warn"    // bags are checked, and people told
	ContractsEnforce ContractMode = "enforce" // a hook that writes what a contract does not allow fails
	// ContractsDefault stands for what the model says; of the model, for warn.
	ContractsDefault ContractMode = ""
)

// ContractModes lists the modes.
func ContractModes() []ContractMode {
	return []ContractMode{ContractsOff, ContractsWarn, ContractsEnforce}
}

// Terms are a contract that applies in a model, ready to check bags.
type Terms struct {
	Interface string // as the contract writes it
	Version   int
	// Shipped is true if it comes with kith; otherwise the model was told it, and Row says when.
	Shipped bool
	Row     *Contract
	// Checker is nil if the contract cannot be used; Problem then says why. Contracts are
	// checked when they are added: it takes another version of kith to make one unusable.
	Checker *contract.Checker
	Problem string
}

// Contract is what applies to an interface: what the model was told, or else what
// comes with kith; nil if there is neither.
func (m *Model) Contract(iface string) *Terms {
	name := contract.FoldName(iface)
	if t, ok := m.terms.get(name); ok {
		return t
	}
	if checker := shipped.Checker(name); checker != nil {
		c := checker.Contract()
		return &Terms{Interface: c.Interface, Version: c.Version, Shipped: true, Checker: checker}
	}
	return nil
}

// Contracts yields the contracts the model was told, by name.
func (m *Model) Contracts() iter.Seq[*Terms] {
	return func(yield func(*Terms) bool) {
		m.terms.ascend("", func(_ string, t *Terms) bool { return yield(t) })
	}
}

// ContractMode is the mode of contracts for what an application's units write at an
// endpoint: its own, or else the model's.
func (m *Model) ContractMode(app kith.AppName, endpoint kith.EndpointName) ContractMode {
	if a := m.App(app); a != nil && a.Contracts[endpoint] != ContractsDefault {
		return a.Contracts[endpoint]
	}
	if mode := m.Info().Contracts; mode != ContractsDefault {
		return mode
	}
	return ContractsWarn
}

// applyContract puts or drops a contract, and compiles it: once, whoever checks by it.
func (m *Model) applyContract(c Change) Entity {
	old, row := m.contracts.apply(c)
	if row == nil {
		m.terms.drop(c.Key.ID)
		return entity(old)
	}
	t := &Terms{Interface: row.Interface, Row: row}
	if parsed, err := contract.Parse(row.Interface, []byte(row.Text)); err != nil {
		t.Problem = err.Error()
	} else {
		t.Interface, t.Version = parsed.Interface, parsed.Version
		if t.Checker, err = parsed.Compile(); err != nil {
			t.Problem = err.Error()
		}
	}
	m.terms.set(row.Interface, t)
	return entity(old)
}

func (t *txn) addContract(op AddContract) error {
	if err := t.requireAlive(); err != nil {
		return err
	}
	if len(op.Text) > MaxContractBytes {
		return kith.Errorf(kith.Invalid, "cannot add contract: it has %d bytes, at most %d are taken", len(op.Text), MaxContractBytes)
	}
	source := op.Source
	if source == "" {
		source = "the contract"
	}
	c, err := contract.Parse(source, []byte(op.Text))
	if err != nil {
		return err
	}
	row := Contract{Interface: contract.FoldName(c.Interface), Text: string(c.YAML()), Source: op.Source, Added: t.now, Rev: t.rev}
	if len(row.Text) > MaxContractBytes {
		return kith.Errorf(kith.Invalid, "cannot add contract: with its references written out it has %d bytes, at most %d are taken",
			len(row.Text), MaxContractBytes)
	}
	if old := t.m.contracts.get(row.Interface); old != nil && old.Text == row.Text && old.Source == row.Source {
		return nil
	}
	put(t, row)
	return nil
}

func (t *txn) removeContract(op RemoveContract) error {
	name := contract.FoldName(op.Interface)
	if t.m.contracts.get(name) == nil {
		err := kith.Errorf(kith.NotFound, "contract %q not found", op.Interface)
		if shipped.Checker(name) != nil {
			return err.WithHint("the one that comes with kith stays: add another of that name, or 'kith contract mode off'")
		}
		return err.WithHint("see 'kith contract list'")
	}
	t.drop(Key{KindContract, name})
	return nil
}

// setContractMode sets the mode of the model, or of one endpoint.
func (t *txn) setContractMode(op SetContractMode) error {
	switch op.Mode {
	case ContractsOff, ContractsWarn, ContractsEnforce, ContractsDefault:
	default:
		return kith.Errorf(kith.Invalid, "invalid contract mode %q, expected one of %v", op.Mode, ContractModes()).
			WithHint("warn tells people of what breaks a contract, enforce fails the hook that wrote it")
	}
	if op.App == "" && op.Endpoint == "" {
		if info := *t.m.Info(); info.Contracts != op.Mode {
			info.Contracts = op.Mode
			put(t, info)
		}
		return nil
	}
	app, err := t.app(op.App)
	if err != nil {
		return err
	}
	if _, ok := t.m.Charm(app.Charm).Charm.Meta.Endpoint(op.Endpoint); !ok {
		return kith.Errorf(kith.NotFound, "application %q has no endpoint %q", op.App, op.Endpoint).
			WithHint("see 'kith show-application %s'", op.App)
	}
	if app.Contracts[op.Endpoint] == op.Mode {
		return nil
	}
	app.Contracts = withMode(app.Contracts, op.Endpoint, op.Mode)
	put(t, app)
	return nil
}

// withMode is modes with one changed. What is shared with older rows stays as it is.
func withMode(modes map[kith.EndpointName]ContractMode, endpoint kith.EndpointName, mode ContractMode) map[kith.EndpointName]ContractMode {
	changed := maps.Clone(modes)
	if mode == ContractsDefault {
		delete(changed, endpoint)
		return changed
	}
	if changed == nil {
		changed = map[kith.EndpointName]ContractMode{}
	}
	changed[endpoint] = mode
	return changed
}

// keepModes is modes without those of endpoints that a new charm does not have.
func keepModes(modes map[kith.EndpointName]ContractMode, meta charm.Meta) map[kith.EndpointName]ContractMode {
	kept := modes
	for endpoint := range modes { // any order: each is looked at for itself
		if _, ok := meta.Endpoint(endpoint); !ok {
			kept = withMode(kept, endpoint, ContractsDefault)
		}
	}
	return kept
}

// modeTexts is modes as history tells them.
func modeTexts(modes map[kith.EndpointName]ContractMode) map[string]string {
	if len(modes) == 0 {
		return nil
	}
	texts := make(map[string]string, len(modes))
	for endpoint, mode := range modes { // any order: into a map
		texts[string(endpoint)] = string(mode)
	}
	return texts
}
