package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"kith"
)

const (
	// opTimeout bounds every call but Watch. etcd itself gives a request five
	// seconds and two elections; past twice that nobody is listening.
	opTimeout = 10 * time.Second
	// defaultLeaseTTL is how long a silent owner keeps its models: long enough for a
	// slow disk or an election of the cluster, short enough to wait for.
	defaultLeaseTTL = 10 * time.Second
	// releaseTimeout bounds Close: a lease that cannot be revoked ends by itself.
	releaseTimeout = 2 * time.Second
)

// Config says how to open a store on etcd.
type Config struct {
	Client   *clientv3.Client // Close leaves it open
	Identity Identity
	Limits   Limits        // the server's; probed if zero
	LeaseTTL time.Duration // of the ownerships; 10 s if zero, whole seconds
	Host     Host          // the server in this process; nil for a remote one
}

// Host is an etcd server in this process, as a store needs to know it.
type Host interface {
	// Admit refuses a write of so many bytes that would bring the server down, such
	// as one to a full disk. Errors: Unavailable.
	Admit(bytes int) error
	// Txn is etcd's own, without a client in between. The errors are those of
	// rpctypes. The request must not be changed, not even after the return.
	Txn(ctx context.Context, txn *etcdserverpb.TxnRequest) (*etcdserverpb.TxnResponse, error)
	// Context ends when the server can do no more; its cause is a *kith.Error that says why.
	Context() context.Context
}

// Etcd is a [Store] on etcd. Make one with [Open].
type Etcd struct {
	client   *clientv3.Client
	identity Identity
	limits   Limits
	ttl      int64
	host     Host

	life context.Context // ends with Close or with the host
	end  context.CancelCauseFunc

	heads heads

	mu      sync.Mutex
	session *concurrency.Session // nil until the first Own
}

var _ Store = (*Etcd)(nil)

// Open checks the store's format, writes it if the store is new, and learns the
// server's limits. Errors: Unavailable if etcd cannot be reached, Conflict if the
// store has a format this version does not know.
func Open(ctx context.Context, cfg Config) (*Etcd, error) {
	s := &Etcd{client: cfg.Client, identity: cfg.Identity, limits: cfg.Limits, host: cfg.Host}
	s.ttl = int64(max(cfg.LeaseTTL, time.Second) / time.Second)
	if cfg.LeaseTTL == 0 {
		s.ttl = int64(defaultLeaseTTL / time.Second)
	}
	base := context.Background()
	if s.host != nil {
		base = s.host.Context()
	}
	s.life, s.end = context.WithCancelCause(base)
	if err := s.checkFormat(ctx); err != nil {
		s.end(err)
		return nil, err
	}
	if s.limits == (Limits{}) {
		limits, err := s.probe(ctx)
		if err != nil {
			s.end(err)
			return nil, err
		}
		s.limits = limits
	}
	return s, nil
}

// begin derives the context of one call: it ends with the caller's, with the store, or
// with the timeout (none if 0).
func (s *Etcd) begin(ctx context.Context, timeout time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(s.life, func() { cancel(context.Cause(s.life)) })
	if timeout == 0 {
		return ctx, func() { stop(); cancel(nil) }
	}
	ctx, expire := context.WithTimeout(ctx, timeout)
	return ctx, func() { expire(); stop(); cancel(nil) }
}

// admit refuses a write that must not be tried at all.
func (s *Etcd) admit(bytes int) error {
	if s.life.Err() != nil {
		return context.Cause(s.life)
	}
	if s.host == nil {
		return nil
	}
	return s.host.Admit(bytes)
}

// failure words an error of etcd's. Codes: Unavailable, but for authentication.
func (s *Etcd) failure(ctx context.Context, doing string, err error) error {
	var why *kith.Error
	if errors.As(err, &why) || errors.As(context.Cause(ctx), &why) { // the store or its host ended
		return why.Prefix("cannot %s: ", doing)
	}
	switch {
	case errors.Is(err, rpctypes.ErrNoSpace):
		return kith.Errorf(kith.Unavailable, "cannot %s: the store has reached its size limit", doing).
			WithHint("let history be pruned sooner; then compact and defragment etcd, raise --quota-backend-bytes if need be, and disarm its alarm")
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		return kith.Errorf(kith.Forbidden, "cannot %s: etcd: %v", doing, err).WithHint("kith needs readwrite on the prefix %s", rootPrefix)
	case errors.Is(err, rpctypes.ErrAuthFailed), errors.Is(err, rpctypes.ErrUserEmpty), errors.Is(err, rpctypes.ErrInvalidAuthToken):
		return kith.Errorf(kith.Unauthenticated, "cannot %s: etcd: %v", doing, err)
	case errors.Is(err, context.DeadlineExceeded):
		return Because(err, kith.Errorf(kith.Unavailable, "cannot %s: etcd does not answer", doing).
			WithHint("is %s up, and has the cluster a leader?", s.endpoints()))
	}
	return Because(err, kith.Errorf(kith.Unavailable, "cannot %s: etcd: %v", doing, err))
}

func (s *Etcd) endpoints() string {
	if s.host != nil {
		return "the embedded etcd"
	}
	return listEndpoints(s.client.Endpoints())
}

// Limits implements [Store].
func (s *Etcd) Limits() Limits { return s.limits }

// Close implements [Store].
func (s *Etcd) Close() error {
	s.end(kith.Errorf(kith.Unavailable, "the store is closed"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == nil {
		return nil
	}
	s.session.Orphan()
	ctx := context.Background()
	if s.host != nil {
		ctx = s.host.Context()
	}
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout)
	defer cancel()
	_, err := s.client.Revoke(ctx, s.session.Lease())
	s.session = nil
	if err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) && ctx.Err() == nil {
		return kith.Errorf(kith.Unavailable, "cannot give up the models at once: %v", err).
			WithHint("others can own them in %d seconds", s.ttl)
	}
	return nil
}
