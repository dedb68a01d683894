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
	if s.host == nil { // a server in this process bounds the time by itself, and ends with its host
		var done func()
		ctx, done = s.begin(ctx, opTimeout)
		defer done()
	}
	if err := ctx.Err(); err != nil { // nothing was sent: the outcome is known
		return s.failure(ctx, "commit to model "+quote(b.Model), err)
	}
	succeeded, err := s.send(ctx, own, &b)
	switch {
	case err != nil:
		s.heads.forget(own)
		return s.commitFailure(ctx, &b, err)
	case !succeeded:
		s.heads.forget(own)
		return s.refusal(ctx, own, &b)
	}
	s.heads.note(own, b.Revision)
	return nil
}

// commitIf holds if own is the ownership still and the model is at the revision before
// rev. One comparison says nearly all of that: of the later records and the owner, which
// are one range, every key was last written by the acquisition. So the owner is there
// and unchanged, and there is no such record.
//
// That there is no gap before rev need only be asked if it is not known: since the newest
// record is never deleted, and nobody but this store writes under its ownership, a model
// that has been at rev-1 under it is there until rev is.
func (s *Etcd) commitIf(keys layout, own Ownership, rev uint64) []clientv3.Cmp {
	last := clientv3.Compare(clientv3.ModRevision(keys.record(rev)), "=", own.Epoch).WithRange(keys.owner() + "\x00")
	if rev == 1 || s.heads.at(own, rev-1) {
		return []clientv3.Cmp{last}
	}
	return []clientv3.Cmp{last, clientv3.Compare(clientv3.CreateRevision(keys.record(rev-1)), ">", 0)}
}

// owned holds while nobody has written or deleted the ownership key since own was acquired.
func (l layout) owned(own Ownership) clientv3.Cmp {
	return clientv3.Compare(clientv3.ModRevision(l.owner()), "=", own.Epoch)
}

// refusal tells which comparison failed. It looks afterwards: every commit that succeeds would pay
// for reading it in the same transaction, and neither an ownership nor a revision comes back.
func (s *Etcd) refusal(ctx context.Context, own Ownership, b *Batch) error {
	keys := layoutOf(b.Model)
	resp, err := s.client.Txn(ctx).Then(clientv3.OpGet(keys.owner()), keys.firstRecord(0)).Commit()
	if err != nil {
		return s.failure(ctx, "commit to model "+quote(b.Model), err)
	}
	owner, records := resp.Responses[0].GetResponseRange(), resp.Responses[1].GetResponseRange()
	if len(owner.Kvs) == 0 || owner.Kvs[0].ModRevision != own.Epoch {
		return Fenced("commit to", b.Model)
	}
	_, at, err := keys.bounds(records)
	if err != nil {
		return err
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
// is broken off has still only shortened the history, and the records that are left
// follow each other without a gap.
func (s *Etcd) PruneHistory(ctx context.Context, own Ownership, before uint64) error {
	const verb = "prune the history of"
	oldest, newest, err := s.historyBounds(ctx, own.Model, 0)
	if err != nil {
		return err
	}
	keys := layoutOf(own.Model)
	before = min(before, newest)
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
	s.heads.forget(own)
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
