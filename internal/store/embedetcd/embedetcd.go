package embedetcd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3rpc"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"kith"
	"kith/internal/store"
)

const (
	startTimeout = 30 * time.Second // a replay from a slow disk; normally some ten milliseconds
	// electEvery is how often a starting server is told to elect itself, until it has:
	// it declines while it still applies its own membership.
	electEvery = time.Millisecond
	// stopTimeout bounds the stopping of a server that failed: parts of it may be stuck.
	stopTimeout = 2 * time.Second

	socketName = "etcd.sock"
)

// Config says where the data is.
type Config struct {
	Dir    string       // made if missing, readable to this user only
	Limits store.Limits // of one transaction; the zero value stands for 128 MiB and 65536 operations
	Socket bool         // also listen on Dir/etcd.sock, for etcdctl; the directory's mode keeps others out

	// For tests; the zero values stand for the constants.
	reserve       int64 // bytes of the disk to leave free
	maintainBytes int64
	quota         int64
}

// Server is a running etcd. Make one with [Start]; end it with [Server.Close].
type Server struct {
	cfg  Config // with the defaults filled in
	dir  string
	lock *os.File
	log  *logFile

	etcd   *etcdserver.EtcdServer
	client *clientv3.Client
	grpc   *grpc.Server // nil without a socket

	alive context.Context // ends, with the reason as cause, when etcd failed or Close was called
	end   context.CancelCauseFunc

	written atomic.Int64  // bytes admitted since the last maintenance
	writes  atomic.Int64  // and how many writes they were
	enough  chan struct{} // tells maintenance that written is large

	jobs chan job // for idle workers

	failure atomic.Pointer[error] // why etcd failed, in its own words; nil if it has not

	working sync.WaitGroup // maintenance, the listener
	closing sync.Once
}

var _ store.Host = (*Server)(nil)

// Start opens the directory, or makes it, and returns when the server answers.
// Errors: Conflict if another server has the directory or its content is damaged,
// Unavailable if there is no room or etcd does not come up, Invalid if the directory
// cannot be one.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	s := &Server{cfg: cfg.withDefaults(), dir: cfg.Dir, enough: make(chan struct{}, 1), jobs: make(chan job)}
	s.alive, s.end = context.WithCancelCause(context.Background())
	if err := s.start(ctx); err != nil {
		s.end(err)
		s.stop()
		return nil, err
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	c.Limits.MaxTxnBytes = cmp.Or(c.Limits.MaxTxnBytes, maxTxnBytes)
	c.Limits.MaxTxnOps = cmp.Or(c.Limits.MaxTxnOps, maxTxnOps)
	c.reserve = cmp.Or(c.reserve, minFree)
	c.maintainBytes = cmp.Or(c.maintainBytes, maintainBytes)
	c.quota = cmp.Or(c.quota, quota)
	return c
}

func (s *Server) start(ctx context.Context) (err error) {
	if err := makeDir(s.dir); err != nil {
		return err
	}
	if s.lock, err = lockDir(s.dir); err != nil {
		return err
	}
	if err := s.room(0); err != nil {
		return err
	}
	if s.log, err = openLog(filepath.Join(s.dir, logName)); err != nil {
		return err
	}
	if err := inspect(s.dir); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := s.boot(ctx, s.log.logger(s.fail)); err != nil {
		return err
	}
	if err := s.elect(ctx); err != nil {
		return err
	}
	s.client = s.newClient()
	if err := s.disarm(ctx); err != nil {
		return err
	}
	if s.cfg.Socket {
		if err := s.listen(); err != nil {
			return err
		}
	}
	s.working.Go(func() { s.maintain(s.alive) })
	return nil
}

// boot builds the server from what is on the disk, and starts it. etcd gives up on a
// damaged disk by ending the process or by a panic; both end the goroutine here.
func (s *Server) boot(ctx context.Context, logger *zap.Logger) error {
	type outcome struct {
		etcd *etcdserver.EtcdServer
		err  error
	}
	booted := make(chan outcome, 1)
	go func() { // ends with NewServer; abandoned only when etcd has failed, and then the process has to end
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() {
			if r := recover(); r != nil {
				booted <- outcome{err: fmt.Errorf("%v", r)}
			}
		}()
		etcd, err := etcdserver.NewServer(serverConfig(s.cfg, logger))
		booted <- outcome{etcd, err}
	}()
	select {
	case o := <-booted:
		if o.err != nil {
			return s.damaged(o.err)
		}
		s.etcd = o.etcd
		s.etcd.Start()
		return nil
	case <-s.alive.Done():
		return s.damaged(*s.failure.Load())
	case <-ctx.Done():
		return kith.Errorf(kith.Unavailable, "cannot start the store in %s: %v", s.dir, ctx.Err()).
			WithHint("the disk may be very slow; see %s", s.log.path)
	}
}

// elect makes the only member the leader at once, instead of after an election
// timeout: the message is the one by which a leader hands over.
func (s *Server) elect(ctx context.Context) error {
	id := uint64(s.etcd.MemberID())
	tick := time.NewTicker(electEvery)
	defer tick.Stop()
	again := tick.C
	for {
		select {
		case <-s.etcd.ReadyNotify():
			return nil
		case <-again:
			if s.etcd.Lead() != 0 {
				again = nil
				continue
			}
			if err := s.etcd.Process(ctx, &raftpb.Message{Type: raftpb.MsgTimeoutNow.Enum(), From: &id, To: &id}); err != nil {
				again = nil // etcd elects a leader by itself, a second later
			}
		case <-s.alive.Done():
			return s.damaged(*s.failure.Load())
		case <-s.etcd.StopNotify():
			return s.damaged(errors.New("it stopped while it started"))
		case <-ctx.Done():
			return kith.Errorf(kith.Unavailable, "cannot start the store in %s: etcd is not ready: %v", s.dir, ctx.Err()).
				WithHint("see %s", s.log.path)
		}
	}
}

// listen serves etcd's API on a socket in the private directory.
func (s *Server) listen() error {
	path := filepath.Join(s.dir, socketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return kith.Errorf(kith.Unavailable, "cannot listen on %s: %v", path, err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return kith.Errorf(kith.Unavailable, "cannot listen on %s: %v", path, err)
	}
	s.grpc = v3rpc.Server(s.etcd, nil, nil)
	s.working.Go(func() {
		if err := s.grpc.Serve(l); err != nil && s.alive.Err() == nil {
			s.fail(fmt.Errorf("cannot serve %s: %w", path, err))
		}
	})
	return nil
}

// Client talks to the server without a connection in between. It ends with Close.
func (s *Server) Client() *clientv3.Client { return s.client }

// Open opens a store on the server.
func (s *Server) Open(ctx context.Context, identity store.Identity) (*store.Etcd, error) {
	return store.Open(ctx, store.Config{Client: s.client, Identity: identity, Limits: s.cfg.Limits, Host: s})
}

// Context implements store.Host.
func (s *Server) Context() context.Context { return s.alive }

// fail ends the server because etcd can do no more.
func (s *Server) fail(err error) {
	if !s.failure.CompareAndSwap(nil, &err) {
		return
	}
	s.end(kith.Errorf(kith.Unavailable, "the store in %s has failed: %v", s.dir, err).
		WithHint("see to the disk (is it full?), then restart the controller; nothing that was acknowledged is lost"))
}

// disarm lifts etcd's out-of-space alarm once there is space again. While it is up
// etcd refuses to write.
func (s *Server) disarm(ctx context.Context) error {
	alarms := s.etcd.Alarms()
	if len(alarms) == 0 {
		return nil
	}
	failed := func(err error) error {
		return kith.Errorf(kith.Unavailable, "cannot make room in the store in %s: %v", s.dir, err)
	}
	if err := s.compact(ctx, s.etcd.KV().Rev(), clientv3.WithCompactPhysical()); err != nil {
		return failed(err)
	}
	if err := s.etcd.Defragment(); err != nil {
		return failed(err)
	}
	for _, a := range alarms {
		if a.Alarm == etcdserverpb.AlarmType_CORRUPT {
			return s.damaged(errors.New("etcd found its data inconsistent"))
		}
		if _, err := s.client.AlarmDisarm(ctx, (*clientv3.AlarmMember)(a)); err != nil {
			return failed(err)
		}
	}
	return nil
}

// Close stops the server. What was acknowledged is on the disk. A server that had
// failed may leave parts running; the process should end soon after.
func (s *Server) Close() error {
	s.closing.Do(func() {
		s.end(kith.Errorf(kith.Unavailable, "the store in %s is closed", s.dir))
		s.stop()
	})
	return nil
}

func (s *Server) stop() {
	if s.grpc != nil {
		s.grpc.Stop()
	}
	s.working.Wait()
	if s.client != nil {
		s.client.Close()
	}
	if s.etcd != nil {
		s.stopEtcd()
	}
	if s.log != nil {
		s.log.close()
	}
	if s.lock != nil {
		s.lock.Close()
	}
}

func (s *Server) stopEtcd() {
	stopped := make(chan struct{})
	go func() { // waited for, unless etcd has failed and may be stuck
		s.etcd.HardStop()
		close(stopped)
	}()
	if s.failure.Load() == nil {
		<-stopped
		return
	}
	select {
	case <-stopped:
	case <-time.After(stopTimeout):
	}
}
