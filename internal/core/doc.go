// Package core says what a model is and what may happen to it.
//
// A [Model] is a set of ordered tables of immutable entities. [Decide] takes a
// command and reports the [Change] list it causes, or refuses it with a
// *kith.Error whose message is Juju's; [Apply] makes one change; [Check] reports
// every broken invariant. A [View] shows the model through the eyes of one
// unit: it is all that package resolve looks at to name the unit's next hook.
//
// The package is pure. It reads no clock (a command carries Now), draws no
// chance (a command carries new identifiers), starts nothing, locks nothing
// and never ranges over a map where order could show. The same model and the
// same command give the same changes for ever, which is what makes the store's
// history, the simulator's schedules and the harness's tests one thing.
//
// Refused means no changes at all. A change list is atomic: callers store it
// whole or not at all, and apply it only when it is durable.
//
// # Invariants
//
//   - I1: every unit belongs to an application that exists and runs a charm that exists.
//   - I2: a relation has one endpoint (peer) or two (one provider, one requirer, equal
//     interface); each names an application that exists.
//   - I3: every member is a unit that exists, of an application that is an end of the relation.
//   - I4: every bag belongs to an existing relation, and its owner is an application or a unit
//     of an application at one of its ends; no value is empty.
//   - I5: an application has at most one leader, and the leader is one of its units; no other unit
//     of it is in error over leader-elected.
//   - I6: what a unit has seen, it has seen of a relation it is a member of.
//   - I7: a relation that is dying has at least one member; an application that is dying has
//     at least one unit or relation.
//   - I8: at most one alive or dying relation has a given key.
//   - I9: a subordinate unit has a principal that exists, lives on its machine and lists it.
//   - I10: identifiers are below the counters that gave them out.
//   - I11: no two units share an address.
//   - I12: the indexes of what units have to be told and to do, and of what their hooks see, agree
//     with their past and their view.
//   - I13: a task belongs to an operation that counts it; an operation is over exactly when all
//     its tasks are, and a log belongs to a task.
//   - I14: a task that is not over belongs to a unit that exists and has not run remove; it
//     runs exactly if the unit's progress says so.
//   - I15: every secret has an owner that exists, or the model, and a revision at least; the newest
//     has the highest number, and every revision has a content.
//   - I16: a revision is obsolete if and only if it is neither the newest nor tracked by a unit.
//   - I17: a grant is to an application or a unit that exists; one over a relation is over one that
//     exists, and to its other side.
//   - I18: a unit remembers only secrets it may read, and no two by the same label; an owner gives no label twice.
//   - I19: the index of secrets agrees with their rows.
//   - I20: storage that is held belongs to a unit that exists, on its host; nobody holds what is
//     dead, somebody what is dying; and the index of storage agrees with its rows.
//   - I21: a contract is stored under its interface's folded name, compiles, and its compiled form is that
//     of its row; a mode of its own has only an endpoint that the application's charm has.
//
// Rules follow the relations reference; each names its section.
package core
