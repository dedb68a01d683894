package store

import (
	"context"
	"errors"
	"strconv"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"kith"
)

// pruneStep is how many revisions of history one transaction deletes: etcd applies
// nothing else meanwhile.
const pruneStep = 5000

// Commit implements [Store].
func (s *Etcd) Commit(ctx context.Context, own Ownership, b Batch) error {
	if err := CheckCommit(own, &b, s.limits); err != nil {
		return err
	}
	if err := s.admit(b.Bytes()); err != nil {
		return err
	}
	ctx, done := s.begin(ctx, opTimeout)
	defer done()
	if err := ctx.Err(); err != nil { // nothing was sent: the outcome is known
		return s.failure(ctx, "commit to model "+quote(b.Model), err)
	}
	keys := layoutOf(b.Model)
	resp, err := s.client.Txn(ctx).
		If(keys.owned(own), keys.at(b.Revision-1)).
		Then(commitOps(keys, &b)...).
		Commit()
	switch {
	case err != nil:
		return s.commitFailure(ctx, &b, err)
	case !resp.Succeeded:
		return s.refusal(ctx, own, &b)
	}
	return nil
}

func commitOps(keys layout, b *Batch) []clientv3.Op {
	ops := make([]clientv3.Op, 0, b.Ops())
	ops = append(ops, clientv3.OpPut(keys.revision(), formatRevision(b.Revision)))
	if b.Revision == 1 {
		ops = append(ops, clientv3.OpPut(indexKey(b.Model), "{}"))
	}
	if len(b.History) > 0 {
		ops = append(ops, clientv3.OpPut(keys.record(b.Revision), string(b.History)))
	}
	for _, e := range b.Puts {
		ops = append(ops, clientv3.OpPut(keys.entity(e.Key), string(e.Value)))
	}
	for _, k := range b.Deletes {
		ops = append(ops, clientv3.OpDelete(keys.entity(k)))
	}
	return ops
}

// owned holds while nobody has written or deleted the ownership key since own was acquired.
func (l layout) owned(own Ownership) clientv3.Cmp {
	return clientv3.Compare(clientv3.ModRevision(l.owner()), "=", own.Epoch)
}

// at holds if the model is at the revision.
func (l layout) at(rev uint64) clientv3.Cmp {
	if rev == 0 {
		return clientv3.Compare(clientv3.CreateRevision(l.revision()), "=", 0)
	}
	return clientv3.Compare(clientv3.Value(l.revision()), "=", formatRevision(rev))
}

// refusal tells which comparison failed. It looks afterwards: every commit that succeeds would pay
// for reading it in the same transaction, and neither an ownership nor a revision comes back.
func (s *Etcd) refusal(ctx context.Context, own Ownership, b *Batch) error {
	keys := layoutOf(b.Model)
	resp, err := s.client.Txn(ctx).Then(clientv3.OpGet(keys.owner()), clientv3.OpGet(keys.revision())).Commit()
	if err != nil {
		return s.failure(ctx, "commit to model "+quote(b.Model), err)
	}
	reads := resp.Responses
	owner, revision := reads[0].GetResponseRange().Kvs, reads[1].GetResponseRange().Kvs
	if len(owner) == 0 || owner[0].ModRevision != own.Epoch {
		return Fenced("commit to", b.Model)
	}
	if len(revision) == 0 {
		return Moved(*b, 0)
	}
	at, err := parseRevision(revision[0].Value)
	if err != nil {
		return kith.Errorf(kith.Internal, "cannot read the revision of model %q: %v", b.Model, err)
	}
	return Moved(*b, at)
}

// commitFailure tells a batch that was certainly not applied from one that may have been.
func (s *Etcd) commitFailure(ctx context.Context, b *Batch, err error) error {
	if errors.Is(err, rpctypes.ErrRequestTooLarge) || errors.Is(err, rpctypes.ErrTooManyOps) ||
		status.Code(err) == codes.ResourceExhausted && !errors.Is(err, rpctypes.ErrNoSpace) && !errors.Is(err, rpctypes.ErrTooManyRequests) {
		// The limits were lowered since they were probed, or something in between has its own.
		return Because(ErrTooLarge, kith.Errorf(kith.Invalid, "cannot commit to model %q: %d bytes in %d operations: etcd: %v",
			b.Model, b.Bytes(), b.Ops(), err).WithHint("raise etcd's --max-request-bytes and --max-txn-ops"))
	}
	failure := s.failure(ctx, "commit to model "+quote(b.Model), err)
	// ErrNoSpace is not among them: etcd may find out after it has applied the batch.
	for _, refused := range []error{rpctypes.ErrTooManyRequests, rpctypes.ErrPermissionDenied,
		rpctypes.ErrAuthFailed, rpctypes.ErrUserEmpty, rpctypes.ErrInvalidAuthToken} {
		if errors.Is(err, refused) {
			return failure
		}
	}
	return because(ErrUnknown, failure)
}

// PruneHistory implements [Store]. It deletes in steps, oldest first: pruning that
// is broken off has still only shortened the history.
func (s *Etcd) PruneHistory(ctx context.Context, own Ownership, before uint64) error {
	const verb = "prune the history of"
	oldest, newest, err := s.historyBounds(ctx, own.Model, 0)
	if err != nil {
		return err
	}
	keys := layoutOf(own.Model)
	before = min(before, newest+1)
	for to := min(oldest+pruneStep, before); ; to = min(to+pruneStep, before) {
		resp, err := s.fenced(ctx, own, verb+" model "+quote(own.Model), clientv3.OpDelete(keys.history(), clientv3.WithRange(keys.record(to))))
		switch {
		case err != nil:
			return err
		case !resp.Succeeded:
			return Fenced(verb, own.Model)
		case to >= before:
			return nil
		}
	}
}

// RemoveModel implements [Store].
func (s *Etcd) RemoveModel(ctx context.Context, own Ownership) error {
	keys := layoutOf(own.Model)
	resp, err := s.fenced(ctx, own, "remove model "+quote(own.Model),
		clientv3.OpDelete(keys.prefix, clientv3.WithPrefix()), clientv3.OpDelete(indexKey(own.Model)))
	if err == nil && !resp.Succeeded {
		return Fenced("remove", own.Model)
	}
	return err
}

// fenced runs a transaction if the ownership holds.
func (s *Etcd) fenced(ctx context.Context, own Ownership, doing string, ops ...clientv3.Op) (*clientv3.TxnResponse, error) {
	if err := s.admit(0); err != nil {
		return nil, err
	}
	ctx, done := s.begin(ctx, opTimeout)
	defer done()
	resp, err := s.client.Txn(ctx).If(layoutOf(own.Model).owned(own)).Then(ops...).Commit()
	if err != nil {
		return nil, s.failure(ctx, doing, err)
	}
	return resp, nil
}

func quote(model kith.ModelUUID) string { return strconv.Quote(string(model)) }
