// Package store keeps models in etcd: it loads one, commits batches of changes
// to it, and watches it. It moves bytes. What an entity means, which kinds there
// are and which JSON they have is the business of the package above.
//
// A model is a set of entities, each a kind, an id and a JSON value; a revision
// that counts its batches; and one history record for each batch, of which old ones
// may be pruned. [Etcd] keeps
// it in a remote cluster or in the server that embedetcd starts in this process;
// memstore keeps it in memory. All of them pass the suite in storetest, which
// cites these promises:
//
//	I1  A batch is applied whole or not at all: puts, deletes and the history
//	    record, whose key is the new revision, are one transaction.
//	I2  A batch is applied only if the caller still owns the model: the ownership
//	    key has not changed since the caller acquired it. An owner that was
//	    replaced, or whose lease ran out, can change nothing any more.
//	I3  A batch with revision N is applied only to a model at revision N-1.
//	I4  A batch that was acknowledged is durable: it survives kill -9 and power loss.
//	I5  If a commit's outcome is unknown ([ErrUnknown]), Load tells: either the model
//	    is at the batch's revision and everything in the batch is there, or nothing is.
//	I6  Load returns the state of one moment, and Watch from its StoreRevision
//	    returns every later batch, each once, in order, never split.
//	I7  A watcher that cannot be served every batch from where it asks gets
//	    [ErrResync] instead of a gap, and no buffer grows without bound.
//	I8  A batch that does not fit the server's limits is refused before it is sent,
//	    by an error that names the limit, its value and the setting to raise.
//
// A controller opens a store with its [Identity], calls Own for a model, then
// Load, then Commit for one batch after another, and Release when it is done.
// After [ErrFenced] it has no say any more and must drop the model; after any
// other failed commit it drops its working state and loads again. Everyone else
// calls Load and Watch.
//
// The package does not compact a remote cluster's history of versions, does not
// retry a commit, and does not cache.
//
// Layout of the keys, readable with etcdctl:
//
//	/kith/format                                   the format number
//	/kith/1/index/UUID                             one for each model
//	/kith/1/models/UUID/history/REVISION           one record for each batch, 20 digits; the newest is the revision
//	/kith/1/models/UUID/history/owner              identity of the owner, bound to its lease
//	/kith/1/models/UUID/KIND/ID                    the entities
package store
