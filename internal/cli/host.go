package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/pflag"

	"kith"
	"kith/internal/agent"
	"kith/internal/api"
	"kith/internal/client"
	"kith/internal/controller"
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
	etcdSocket bool
}

func (h *hostFlags) declare(f *pflag.FlagSet) {
	f.StringVar(&h.hookTool, "hook-tool", "", "The program behind the hook tools (kith-hook beside this program)")
	f.BoolVar(&h.etcdSocket, "etcd-socket", false, "Let etcdctl reach the store, by etcd/etcd.sock in the data folder")
}

// args repeats the flags for the process in the background.
func (h *hostFlags) args() []string {
	var args []string
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

	keys    *controller.Keys
	store   *store.Etcd
	blobs   *controller.Blobs
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
	id, err := r.identity()
	if err != nil {
		return err
	}
	if r.keys, err = controller.LoadKeys(filepath.Join(r.d.data, secretName)); err != nil {
		return err
	}
	if r.blobs, err = controller.OpenBlobs(filepath.Join(r.d.data, blobsName), api.MaxBlob); err != nil {
		return err
	}
	r.later(r.blobs.Close)
	if len(r.d.etcd) > 0 {
		return r.openRemote(ctx, id, getenv)
	}
	return r.openEmbedded(ctx, id)
}

func (r *roles) openEmbedded(ctx context.Context, id store.Identity) error {
	server, err := embedetcd.Start(ctx, embedetcd.Config{Dir: filepath.Join(r.d.data, etcdName), Socket: r.flags.etcdSocket})
	if err != nil {
		return err
	}
	r.later(server.Close)
	if r.store, err = server.Open(ctx, id); err != nil {
		return err
	}
	r.later(r.store.Close)
	return nil
}

func (r *roles) openRemote(ctx context.Context, id store.Identity, getenv func(string) string) error {
	config, err := etcdTLS(getenv)
	if err != nil {
		return err
	}
	etcd, err := store.Dial(ctx, store.DialConfig{
		Endpoints: r.d.etcd, TLS: config, Username: getenv("KITH_ETCD_USER"), Password: getenv("KITH_ETCD_PASSWORD"),
	})
	if err != nil {
		return err
	}
	r.later(etcd.Close)
	if r.store, err = store.Open(ctx, store.Config{Client: etcd, Identity: id}); err != nil {
		return err
	}
	r.later(r.store.Close)
	return nil
}

// etcdTLS reads the certificates for an etcd cluster; nil if there are none.
func etcdTLS(getenv func(string) string) (*tls.Config, error) {
	ca, cert, key := getenv("KITH_ETCD_CACERT"), getenv("KITH_ETCD_CERT"), getenv("KITH_ETCD_KEY")
	if ca == "" && cert == "" && key == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, kith.Errorf(kith.Invalid, "cannot read KITH_ETCD_CACERT: %v", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, kith.Errorf(kith.Invalid, "cannot read KITH_ETCD_CACERT: %q holds no certificate", ca)
		}
	}
	if cert != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, kith.Errorf(kith.Invalid, "cannot read KITH_ETCD_CERT and KITH_ETCD_KEY: %v", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
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

// local is a client of our own controller with the host's credential.
func (r *roles) local() *client.Client {
	return client.Unix(r.d.socket()).WithToken(r.keys.Host(hostName))
}

// agent is the agent of this home.
func (r *roles) agent() *agent.Agent {
	return agent.New(agent.Config{
		Host: hostName, Controller: agent.Over(r.local()), Dir: filepath.Join(r.d.data, agentName),
		HookTool: r.flags.hookTool, Log: r.log.With("part", "agent"),
	})
}

// run serves until ctx ends; ready is called when the first request can be answered.
func (r *roles) run(context.Context, func() error) error { return errors.New("the server is missing") }
