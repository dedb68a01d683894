package sim

import "kith/internal/core"

// simContracts are of interfaces of the cast. Configuration x is 0 to 3, or unset, and
// config-changed writes it into every bag: so one is broken half the time, and one never.
var simContracts = []string{
	"interface: sql\nversion: 1\nprovider: {unit: {keys: {x: {required: true, schema: {enum: ['0', '1']}}}}}\nrequirer: {unit: {keys: {x: {}, y: {required: true}}}}\n",
	"interface: sql\nversion: 2\nprovider: {unit: {keys: {x: {schema: {maxLength: 1}}}}}\n",
	"interface: ring\nversion: 1\npeer: {unit: {keys: {x: {schema: {enum: ['2', '3']}}}}}\n",
	"interface: sql\nversion: 3\nnonsense: 1\n", // is refused
}

// addContract tells the model what an interface means.
func (w *World) addContract() core.Op {
	return core.AddContract{Text: simContracts[w.pick(len(simContracts))]}
}

// removeContract takes one back that may be there.
func (w *World) removeContract() core.Op {
	return core.RemoveContract{Interface: []string{"sql", "ring", "http"}[w.pick(3)]}
}

// setContractMode says what contracts do. They are enforced seldom: an operator who does so has
// units in error to look after.
func (w *World) setContractMode() core.Op {
	op := core.SetContractMode{Mode: []core.ContractMode{core.ContractsEnforce, core.ContractsWarn, core.ContractsOff, core.ContractsWarn}[w.pick(4)]}
	if w.pick(2) == 0 {
		op.App, op.Endpoint = "db", "server"
	}
	return op
}

// calmContracts is the remedy for hooks that cannot commit what they write.
func (w *World) calmContracts() {
	w.giveTo(w.serving(), core.SetContractMode{Mode: core.ContractsWarn})
	if w.model().App("db") != nil {
		w.giveTo(w.serving(), core.SetContractMode{Mode: core.ContractsDefault, App: "db", Endpoint: "server"})
	}
}
