package store

import (
	"context"
	"encoding/json"
	"errors"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"kith"
)

// ownAttempts bounds how often Own starts over because somebody else was quicker.
const ownAttempts = 5

// Own implements [Store]. The epoch is the revision of etcd at which the ownership
// key was written: no two acquisitions in a store have the same, and later is greater.
func (s *Etcd) Own(ctx context.Context, model kith.ModelUUID) (Ownership, error) {
	if err := CheckModel(model); err != nil {
		return Ownership{}, err
	}
	if err := s.admit(0); err != nil {
		return Ownership{}, err
	}
	ctx, done := s.begin(ctx, opTimeout)
	defer done()
	var err error
	for range ownAttempts {
		var own Ownership
		var ok bool
		if own, ok, err = s.tryOwn(ctx, model); ok {
			return own, nil
		}
		if err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
			break
		}
	}
	var refused *kith.Error
	switch {
	case errors.As(err, &refused):
		return Ownership{}, err
	case err == nil:
		return Ownership{}, kith.Errorf(kith.Unavailable, "cannot own model %q: its ownership keeps changing", model)
	}
	return Ownership{}, s.failure(ctx, "own model "+quote(model), err)
}

// tryOwn reads who owns the model and replaces what it read. It reports false with a
// nil error if that changed in between.
func (s *Etcd) tryOwn(ctx context.Context, model kith.ModelUUID) (Ownership, bool, error) {
	session, err := s.liveSession(ctx)
	if err != nil {
		return Ownership{}, false, err
	}
	claim, err := s.readClaim(ctx, model)
	if err != nil {
		return Ownership{}, false, err
	}
	if claim.holder != nil && claim.holder.ID != s.identity.ID {
		return Ownership{}, false, OwnedBy(model, *claim.holder)
	}
	value, err := json.Marshal(s.identity)
	if err != nil {
		return Ownership{}, false, err
	}
	resp, err := s.client.Txn(ctx).
		If(claim.seen...).
		Then(append(claim.then, clientv3.OpPut(layoutOf(model).owner(), string(value), clientv3.WithLease(session.Lease())))...).
		Commit()
	if err != nil {
		if errors.Is(err, rpctypes.ErrLeaseNotFound) {
			session.Orphan()
		}
		return Ownership{}, false, err
	}
	return Ownership{Model: model, Epoch: resp.Header.Revision, Lost: session.Done()}, resp.Succeeded, nil
}

// liveSession returns the lease all ownerships of this store hang on; a new one if
// the last has ended.
func (s *Etcd) liveSession(ctx context.Context) (*concurrency.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Err() != nil {
		return nil, context.Cause(s.life)
	}
	if s.session != nil {
		select {
		case <-s.session.Done():
		default:
			return s.session, nil
		}
	}
	lease, err := s.client.Grant(ctx, s.ttl)
	if err != nil {
		return nil, err
	}
	session, err := concurrency.NewSession(s.client, concurrency.WithLease(lease.ID), concurrency.WithContext(s.life))
	if err != nil {
		return nil, err
	}
	s.session = session
	return session, nil
}

func parseIdentity(value []byte) (Identity, error) {
	var identity Identity
	if err := json.Unmarshal(value, &identity); err != nil {
		return identity, kith.Errorf(kith.Internal, "cannot read the owner of a model: %v in %q", err, value)
	}
	return identity, nil
}

// Owner implements [Store].
func (s *Etcd) Owner(ctx context.Context, model kith.ModelUUID) (Identity, error) {
	ctx, done := s.begin(ctx, opTimeout)
	defer done()
	claim, err := s.readClaim(ctx, model)
	switch {
	case err != nil:
		return Identity{}, s.failure(ctx, "find the owner of model "+quote(model), err)
	case claim.holder == nil:
		return Identity{}, NotOwned(model)
	}
	return *claim.holder, nil
}

// Release implements [Store].
func (s *Etcd) Release(ctx context.Context, own Ownership) error {
	ctx, done := s.begin(ctx, opTimeout)
	defer done()
	s.heads.forget(own)
	key := layoutOf(own.Model).owner()
	_, err := s.client.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(key), "=", own.Epoch)).
		Then(clientv3.OpDelete(key)).
		Commit()
	if err != nil {
		return s.failure(ctx, "release model "+quote(own.Model), err)
	}
	return nil
}
