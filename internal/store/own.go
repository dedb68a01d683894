package store

import (
	"context"
	"encoding/json"
	"errors"

	"go.etcd.io/etcd/api/v3/mvccpb"
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

// tryOwn reads the ownership key and replaces what it read. It reports false with a
// nil error if the key changed in between.
func (s *Etcd) tryOwn(ctx context.Context, model kith.ModelUUID) (Ownership, bool, error) {
	session, err := s.liveSession(ctx)
	if err != nil {
		return Ownership{}, false, err
	}
	key := layoutOf(model).owner()
	holder, kv, err := s.holder(ctx, model)
	if err != nil {
		return Ownership{}, false, err
	}
	var seen int64
	if kv != nil {
		if holder.ID != s.identity.ID {
			return Ownership{}, false, OwnedBy(model, holder)
		}
		seen = kv.ModRevision
	}
	value, err := json.Marshal(s.identity)
	if err != nil {
		return Ownership{}, false, err
	}
	resp, err := s.client.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(key), "=", seen)).
		Then(clientv3.OpPut(key, string(value), clientv3.WithLease(session.Lease()))).
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

// holder reads the ownership key; kv is nil if there is none.
func (s *Etcd) holder(ctx context.Context, model kith.ModelUUID) (Identity, *mvccpb.KeyValue, error) {
	resp, err := s.client.Get(ctx, layoutOf(model).owner())
	if err != nil || len(resp.Kvs) == 0 {
		return Identity{}, nil, err
	}
	identity, err := parseIdentity(resp.Kvs[0].Value)
	return identity, resp.Kvs[0], err
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
	identity, kv, err := s.holder(ctx, model)
	switch {
	case err != nil:
		return Identity{}, s.failure(ctx, "find the owner of model "+quote(model), err)
	case kv == nil:
		return Identity{}, NotOwned(model)
	}
	return identity, nil
}

// Release implements [Store].
func (s *Etcd) Release(ctx context.Context, own Ownership) error {
	ctx, done := s.begin(ctx, opTimeout)
	defer done()
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
