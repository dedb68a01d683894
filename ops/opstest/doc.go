// Package opstest tests charms written in Go, in memory and on the very rules that
// production runs: what a test can do, what the charm sees and in which order its events
// come is decided by the packages that decide it in kith's controller and agents.
// There is no imitation of Juju here that could differ from it.
//
// A [Harness] is one unit of one charm. The other side of its relations, and its peers, are
// stand-ins whose hooks do nothing; the test writes their data:
//
//	h := opstest.New(t, newCharm) // as in ops.Main(newCharm)
//	id := h.AddRelation("db", "postgresql")
//	h.SetLeader(true)
//	h.BeginWithInitialHooks()
//	h.AddRelationUnit(id, "postgresql/0")
//	h.UpdateRelationData(id, "postgresql", map[string]string{"endpoints": "10.0.0.1:5432"})
//	if h.Status() != ops.ActiveStatus("ready") { … }
//
// Before [Harness.Begin] or [Harness.BeginWithInitialHooks] the test says how things are, and
// the charm has no events. From then on each method lets the charm run what has become due
// before it returns. The events are on record ([Harness.Events]), and so is what was logged.
//
// A [Model] has many charms, each with all its units; nothing in it is a stand-in:
//
//	m := opstest.NewModel(t)
//	m.Deploy("web", opstest.NewCharm(newWeb, opstest.Dir("../web")))
//	m.Deploy("db", opstest.NewCharm(newDB, opstest.Dir("../db")), opstest.Units(2))
//	rel := m.Integrate("web", "db")
//	m.Settle()
//	if rel.Bag("web/0")["ready"] != "yes" { … }
//
// [Explore] runs such a test under many interleavings of hooks, with leaders that change,
// agents that die and hooks that fail, and makes what it finds small enough to read.
//
// # What holds as in production
//
//   - The charm is made anew for each event; what has to last is a stored state, a databag or a file.
//   - A hook that fails leaves nothing written but statuses, the workload version and log
//     records, and stays in error until it is retried. Nothing else runs meanwhile.
//   - changed follows joined. Unit databags hold the unit's addresses from the start. A unit
//     that departs is not among the relation's units, and its data stays readable.
//   - Peer relations are always there. The limits, scopes and interfaces of endpoints count.
//   - leader-elected comes once for each time the unit takes the lead, and
//     leader-settings-changed to those who do not.
//   - collect-status runs at the end of every event.
//
// # What a test may do and an operator may not
//
// It moves leadership, turns the clock ([Harness.Advance]), writes for the other side, and
// reads any databag without being asked who it is.
//
// # Contracts
//
// What charms write is checked as kith checks it, against the contracts that come with kith
// and those a test adds:
//
//	h.AddContract("../interfaces/greet.yaml")
//
// A charm that writes what the contract of an interface does not allow ends the test with a
// [*ContractError], as a hook that fails does; for [Explore] that is a finding. A test that wants to
// look at violations itself collects them ([Harness.CollectViolations], [Harness.Violations]). A key
// that is missing is no violation; [Relation.Waiting] says what is waited for.
//
// # Speed
//
// An event takes around a tenth of a millisecond, a small test about one. Much of a
// test's start is reading YAML: tests that share a charm make it once, with [NewCharm]. A charm
// that needs files gets a folder by [Charm.WithFiles].
//
// # Errors
//
// A test asks for what has to work: what is refused ends it (Fatalf), and so does a hook
// that fails, whose log is shown. [Harness.Try] and [Model.Try] return either as an error instead: a [*HookError] around the handler's
// error, a [*ContractError], or a [*kith.Error] with Juju's words, a hint where there is something to do, and a code:
//
//   - invalid: a name, an option, a value or a number that cannot be; what is asked of the unit under test, or of a
//     stand-in, and is not for it; metadata that cannot be read.
//   - not-found: a relation, unit, endpoint, storage, resource or secret that is not there, or has been removed.
//   - conflict: what cannot be now: hooks and actions before Begin, a second Begin, what is there already, what a limit forbids, a hook of a
//     unit in error, Retry of one that is not.
//   - unavailable: units that do not come to rest.
//
// A panic of a charm is a hook that fails, with the charm's lines of the stack. The package itself panics for a bug in kith, and
// for a harness or model that is used when its test has ended.
//
// # Limits
//
// Unit numbers go up, and no more than 10 000 units are added at a time. Settle gives up after 100 000 steps. An
// exploration has no more than 12 things go wrong in one run, and takes 20 seconds at most to make a failure small.
//
// There are no containers, and no credentials for a cloud: a trusted charm is told what it is
// told under kith. A test's model is its own: tests run in parallel, and one
// Harness is for one goroutine. docs/reference/harness.md has the methods of Python's Harness,
// and what became of each.
//
// Compatibility: until kith 1.0 the package may change with a line in the changelog.
package opstest
