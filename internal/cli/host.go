package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"kith"
	"kith/internal/agent"
	"kith/internal/api"
	"kith/internal/controller"
	"kith/internal/dispatch"
	"kith/internal/logs"
	"kith/internal/server"
	"kith/internal/store"
	"kith/internal/store/embedetcd"
)

// What the parts keep in the data folder.
const (
	etcdName     = "etcd"
	blobsName    = "blobs"
	agentName    = "agent"
	secretName   = "secret.key"
	identityName = "identity"
)

// hostName is the name of the one agent of a home.
const hostName = "local"

// hostFlags are the flags of up for what runs in the process.
type hostFlags struct {
	hookTool   string
	noResident bool
	etcdSocket bool
}

func (h *hostFlags) declare(f *pflag.FlagSet) {
	f.StringVar(&h.hookTool, "hook-tool", "", "The program behind the hook tools (kith-hook beside this program)")
	f.BoolVar(&h.noResident, "no-residents", false, "Run every event in a process of its own, also of charms that would stay")
	f.BoolVar(&h.etcdSocket, "etcd-socket", false, "Let etcdctl reach the store, by etcd/etcd.sock in the data folder")
}

// complete makes paths independent of where one is: the process in the background lives elsewhere.
func (h *hostFlags) complete() error {
	if h.hookTool == "" {
		return nil
	}
	abs, err := filepath.Abs(h.hookTool)
	if err != nil {
		return err
	}
	h.hookTool = abs
	if info, err := os.Stat(abs); err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return kith.Errorf(kith.Invalid, "cannot find the hook tools: no program %q", abs).WithHint("--hook-tool names the program kith-hook")
	}
	return nil
}

// args repeats the flags for the process in the background.
func (h *hostFlags) args() []string {
	var args []string
	if h.noResident {
		args = append(args, "--no-residents")
	}
	if h.hookTool != "" {
		args = append(args, "--hook-tool", h.hookTool)
	}
	if h.etcdSocket {
		args = append(args, "--etcd-socket")
	}
	return args
}

// roles is what runs in the controller's process, in the order in which the
// parts need each other.
type roles struct {
	d     *daemon
	flags hostFlags
	log   *slog.Logger

	id    store.Identity
	keys  *controller.Keys
	logs  *logs.Logs
	store *store.Etcd
	blobs *controller.Blobs
	// alive ends, with the reason as its cause, when the store in this process has failed.
	alive   context.Context
	closers []func() error
}

// host runs controller and agent in this process until ctx ends, or until
// somebody asks the controller to end.
func (x *call) host(ctx context.Context, d *daemon, h hostFlags) (err error) {
	release, err := d.lock()
	if err != nil {
		return err
	}
	defer release()
	if err := d.clean(); err != nil {
		return err
	}
	r := &roles{d: d, flags: h, log: slog.New(slog.NewTextHandler(x.err, &slog.HandlerOptions{Level: x.logLevel()}))}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.open(ctx, x.getenv); err != nil {
		return err
	}
	if err := d.rememberStore(); err != nil {
		return err
	}
	return r.run(ctx, func() error {
		x.say("kith is up (process %d): %s", os.Getpid(), d.socket())
		return announce(x.getenv, news{PID: os.Getpid()})
	})
}

func (x *call) logLevel() slog.Level {
	if x.debug {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// later has something closed after everything that was opened after it.
func (r *roles) later(f func() error) { r.closers = append(r.closers, f) }

// close closes what was opened, newest first.
func (r *roles) close() error {
	var errs []error
	for i := len(r.closers) - 1; i >= 0; i-- {
		errs = append(errs, r.closers[i]())
	}
	return errors.Join(errs...)
}

// open opens the store and what lies beside it.
func (r *roles) open(ctx context.Context, getenv func(string) string) error {
	if r.flags.hookTool == "" {
		tool, err := agent.FindHookTool()
		if err != nil {
			return err
		}
		r.flags.hookTool = tool
	}
	var err error
	if r.id, err = r.identity(); err != nil {
		return err
	}
	if r.keys, err = controller.LoadKeys(filepath.Join(r.d.data, secretName)); err != nil {
		return err
	}
	if r.blobs, err = controller.OpenBlobs(filepath.Join(r.d.data, blobsName), api.MaxBlob); err != nil {
		return err
	}
	r.later(r.blobs.Close)
	if r.logs, err = logs.Open(filepath.Join(r.d.data, logsName), logs.Limits{}, time.Now); err != nil {
		return err
	}
	r.later(func() error { r.logs.Close(); return nil })
	if len(r.d.etcd.urls) > 0 {
		return r.openRemote(ctx, getenv)
	}
	return r.openEmbedded(ctx)
}

func (r *roles) openEmbedded(ctx context.Context) error {
	etcd, err := embedetcd.Start(ctx, embedetcd.Config{Dir: filepath.Join(r.d.data, etcdName), Socket: r.flags.etcdSocket})
	if err != nil {
		return err
	}
	r.later(etcd.Close)
	r.alive = etcd.Context()
	if r.store, err = etcd.Open(ctx, r.id); err != nil {
		return err
	}
	r.later(r.store.Close)
	return nil
}

func (r *roles) openRemote(ctx context.Context, getenv func(string) string) error {
	config, err := r.d.etcd.dialConfig(getenv)
	if err != nil {
		return err
	}
	etcd, err := store.Dial(ctx, config)
	if kith.CodeOf(err) == kith.Unavailable {
		return kith.Errorf(kith.Unavailable, "%v", err).
			WithHint("is it up, and has it a leader? --etcd-cacert, --etcd-cert and --etcd-key name certificates, %s and %s who we are",
				etcdUserVariable, etcdPasswordVariable)
	}
	if err != nil {
		return err
	}
	r.later(etcd.Close)
	if r.store, err = store.Open(ctx, store.Config{Client: etcd, Identity: r.id}); err != nil {
		return err
	}
	r.later(r.store.Close)
	return nil
}

// identity is who this controller is to the store: drawn once for a data folder
// and kept, so that it takes back after a restart what it owned.
func (r *roles) identity() (store.Identity, error) {
	path := filepath.Join(r.d.data, identityName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(uuid.NewString() + "\n")
		err = writeFile(path, text)
	}
	if err != nil {
		return store.Identity{}, fmt.Errorf("cannot read the controller's identity: %w", err)
	}
	id, err := uuid.Parse(strings.TrimSpace(string(text)))
	if err != nil {
		return store.Identity{}, kith.Errorf(kith.Invalid, "cannot read the controller's identity in %s: %v", path, err).
			WithHint("remove the file: the controller then gets another identity, and its models once their leases have run out")
	}
	return store.Identity{ID: id.String(), Address: r.d.socket()}, nil
}

// agent is the agent of this home. It asks the server beside it, with the host's credential.
func (r *roles) agent(s *server.Server) *agent.Agent {
	return agent.New(agent.Config{
		Host: hostName, Controller: agent.Over(s.Beside(r.keys.Host(hostName))), Dir: filepath.Join(r.d.data, agentName),
		Memory: dispatch.MemoryFolder(), HookTool: r.flags.hookTool, NoResidents: r.flags.noResident, Log: r.log.With("part", "agent"),
	})
}

// run serves until ctx ends, the operator asks it to, or a part fails; ready is
// called when the first request can be answered. The parts end in the reverse order:
// hooks first, while the controller still takes what came of them.
func (r *roles) run(ctx context.Context, ready func() error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if r.alive != nil {
		stop := context.AfterFunc(r.alive, func() { cancel(context.Cause(r.alive)) })
		defer stop()
	}
	c, s, err := r.serving(ctx, func() { cancel(nil) })
	if err != nil {
		return err
	}
	l, err := server.ListenUnix(r.d.socket())
	if err != nil {
		return err
	}
	controlling := r.start(cancel, c.Run)
	serving := r.start(cancel, func(ctx context.Context) error { return s.Serve(ctx, l) })
	working := r.start(cancel, r.agent(s).Run)
	if err := ready(); err != nil {
		cancel(err)
	}
	<-ctx.Done()
	err = errors.Join(working.end(), serving.end(), controlling.end())
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}

// serving makes the controller and its server, over what was opened.
func (r *roles) serving(ctx context.Context, shutdown func()) (*controller.Controller, *server.Server, error) {
	registry := prometheus.NewRegistry()
	c, err := controller.Open(ctx, controller.Options{
		Store: r.store, Keys: r.keys, Blobs: r.blobs, Metrics: controller.NewMetrics(registry), Log: r.log.With("part", "controller"),
		Retention: controller.DefaultRetention, Removed: r.forget,
	})
	if err != nil {
		return nil, nil, err
	}
	return c, server.New(server.Options{
		Controller: c, Blobs: r.blobs, Logs: r.logs, Keys: r.keys, Metrics: registry, Log: r.log.With("part", "server"),
		Version: Version, Store: r.id.ID, UID: os.Getuid(), Shutdown: shutdown,
	}), nil
}

// forget drops the log of a model that is gone.
func (r *roles) forget(model kith.ModelUUID) {
	if err := r.logs.Remove(model); err != nil {
		r.log.Warn("cannot remove the log of a model", "model", model, "error", err)
	}
}

// part is one of the loops of the process.
type part struct {
	cancel context.CancelFunc
	ended  chan error
}

// start runs one part until it is ended. If it ends by itself, the process does.
func (r *roles) start(failed context.CancelCauseFunc, run func(context.Context) error) *part {
	ctx, cancel := context.WithCancel(context.Background())
	p := &part{cancel, make(chan error, 1)}
	go func() {
		err := run(ctx)
		if ctx.Err() == nil {
			failed(err)
		}
		p.ended <- err
	}()
	return p
}

// end ends a part and waits for it.
func (p *part) end() error {
	p.cancel()
	return <-p.ended
}
