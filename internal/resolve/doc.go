// Package resolve names the next thing a unit does, given its past and the
// model as it is now. It is Juju's resolver with everything that acts taken out
// of it: no process is run here, no state is kept, no clock is read.
//
// [Next] looks at a unit through its [core.View] and answers with one [Step]. The
// caller does that one step, records it (the record changes the view), and asks
// again. Nothing is queued between two steps, so the answer always follows
// from the newest state: level, not edge. [Wake] says when the answer may
// change though nothing happens: a retry falls due, update-status falls due.
//
// The same view and the same time give the same step for ever. Where Juju leaves
// an order open, kith fixes one: regular relations by number, then peer
// relations by number; units in string order of name.
//
// # What the package promises
//
// The guarantees are those of section 5.3 of the relations reference; the
// scripts in testdata hold one file for each, by these numbers:
//
//   - G1: relation-created precedes every other hook of its relation, and follows install.
//   - G2: relation-created runs once per entry into a relation.
//   - G3: relation-joined of X is followed by relation-changed of X as the relation's next hook.
//   - G4: changes are coalesced, and every committed change is followed by a relation-changed.
//   - G5: leaving and entering again between two looks is at most a change.
//   - G6: relation-joined and relation-departed are balanced for each remote unit.
//   - G7: relation-broken comes after relation-departed for everybody known.
//   - G8: relation-broken never runs for a peer relation.
//   - G9: a relation the unit never entered runs no hook.
//   - G10: after relation-departed of X nothing is about X unless X joins again.
//   - G11: a unit's own writes wake it only through a peer application bag.
//   - G12: teardown is minimal: pending changed, departed, broken.
//
// Tasks, which are actions and commands, come between hooks: an action when the unit is idle or
// its hook is in error, a command at any time but while something runs.
//
// They hold for a caller who records every step it was given before it asks again.
//
// What the package does not do: it does not pick who leads, create or destroy
// subordinates, or compute delays. Those are decisions about the model, made in
// package core; resolve reads their outcome.
package resolve
