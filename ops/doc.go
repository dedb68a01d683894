// Package ops is for writing charms in Go. A charm built with it runs under kith and
// under any Juju host from 3.6 on.
//
// A charm is a value with handlers. A function makes it and registers them, and
// [Main] gives it the one event that the process was started for:
//
//	func main() { ops.Main(newCharm) }
//
//	func newCharm(f *ops.Framework) (*charm, error) {
//		c := &charm{model: f.Model()}
//		f.Observe(
//			ops.OnRelationChanged("db", c.dbChanged),
//			ops.OnReconcile(c.reconcile),
//			ops.OnCollectUnitStatus(c.status),
//		)
//		return c, nil
//	}
//
// A handler takes a typed event and returns an error. An error fails the hook: it is
// in the log, nothing the charm wrote takes effect except statuses and the workload
// version, and the hook runs again. [StatusError] gives up without failing.
//
// What a charm can see and do is the [Model]: relations with their units and
// databags, networks, configuration, leadership, statuses, secrets, storage, resources
// and ports. What is remote is a name, [kith.UnitName] or [kith.AppName]; what is the
// charm's own has methods. Nothing is asked for that is not used, and what is read
// once stays as it is to the end of the dispatch, except for what the charm writes.
//
// Most charms are best written to reconcile: one handler, [OnReconcile], looks at
// everything it depends on and does what is left to do. Events can also be deferred;
// [DeferrableEvent.Defer] says why that is seldom wise.
//
// What is kept between dispatches is a struct registered with
// [Framework.StoredState]. A charm library is a type made in the charm's function,
// which observes events itself and has events of its own: see [Source], and the
// package ops/lib/database as a model.
//
// Errors are values. Every method that asks the host for something returns a [*ModelError]
// when the host refuses; the method's own words name only what comes beside it. errors.Is with [ErrPermission], [ErrRelationNotFound],
// [ErrSecretNotFound] and [ErrNotLeader] tells them apart; errors.As finds
// [*TooManyRelatedAppsError], [*RelationDataAccessError], [*RelationDataTypeError], and a mistake of
// the charm's, such as a secret without content, is a [*kith.Error] of code Invalid.
//
// [Run] is the same without a process around it: it takes the event, the metadata and
// a [Backend], which makes the hook tool calls, and has no global state. Tests run
// charms with it.
//
// A [Framework] and all that hangs on it serve one event and one goroutine.
//
// Compatibility: until kith 1.0 the package may change with a line in the changelog.
package ops
