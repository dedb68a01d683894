package store

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"kith"
)

const (
	// keepAlive finds out that an etcd member is gone (a cable pulled, a machine frozen)
	// well within a lease.
	keepAlive        = 3 * time.Second
	keepAliveTimeout = 2 * time.Second
	// connectTimeout bounds the first connection to one endpoint.
	connectTimeout = 3 * time.Second
)

// DialConfig says where a remote etcd cluster is.
type DialConfig struct {
	Endpoints []string // URLs: https://a:2379, http://…, unix://…
	TLS       *tls.Config
	Username  string
	Password  string
}

// Dial makes a client of a remote cluster and sees that it answers. Errors: Invalid
// for a bad URL, Unavailable if no endpoint answers.
func Dial(ctx context.Context, cfg DialConfig) (*clientv3.Client, error) {
	if err := checkEndpoints(cfg.Endpoints); err != nil {
		return nil, err
	}
	if why := unreachable(ctx, cfg); why != nil {
		return nil, kith.Errorf(kith.Unavailable, "cannot reach etcd at %s: %v", listEndpoints(cfg.Endpoints), why).
			WithHint("is it up, and do --etcd and the certificates fit?")
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints:            cfg.Endpoints,
		TLS:                  cfg.TLS,
		Username:             cfg.Username,
		Password:             cfg.Password,
		DialTimeout:          opTimeout,
		DialKeepAliveTime:    keepAlive,
		DialKeepAliveTimeout: keepAliveTimeout,
		MaxCallSendMsgSize:   probedTxnBytes + 2*grpcOverhead, // what is too large is for the server to refuse
		Logger:               zap.NewNop(),                    // errors are returned; nothing is worth a log line of its own
	})
	if err != nil {
		return nil, refusedBy(cfg.Endpoints, err)
	}
	ask, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	if _, err := client.Get(ask, formatKey); err != nil {
		client.Close()
		return nil, refusedBy(cfg.Endpoints, err)
	}
	return client, nil
}

// refusedBy is the error of a cluster that can be connected to and does not answer, or
// not to us: one that wants another protocol or certificate does not say so.
func refusedBy(endpoints []string, err error) error {
	return kith.Errorf(kith.Unavailable, "cannot reach etcd at %s: %v", listEndpoints(endpoints), err).
		WithHint("has the cluster a leader, and do the certificates and the user fit?")
}

func checkEndpoints(endpoints []string) error {
	if len(endpoints) == 0 {
		return kith.Errorf(kith.Invalid, "no etcd endpoint")
	}
	for _, e := range endpoints {
		u, err := url.Parse(e)
		if err != nil || u.Host+u.Path == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "unix" && u.Scheme != "unixs" {
			return kith.Errorf(kith.Invalid, "invalid etcd endpoint %q", e).WithHint("endpoints look like https://host:2379, with commas between them")
		}
	}
	return nil
}

// unreachable says why no endpoint can be connected to; nil if one can. gRPC would
// try until the timeout and then not say.
func unreachable(ctx context.Context, cfg DialConfig) error {
	var first error
	for _, endpoint := range cfg.Endpoints {
		err := connect(ctx, endpoint, cfg.TLS)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

func connect(ctx context.Context, endpoint string, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	u, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	network, address := "tcp", u.Host
	if strings.HasPrefix(u.Scheme, "unix") {
		network, address = "unix", u.Host+u.Path
	}
	dial := (&net.Dialer{}).DialContext
	if u.Scheme == "https" || u.Scheme == "unixs" {
		dial = (&tls.Dialer{Config: config}).DialContext
	}
	conn, err := dial(ctx, network, address)
	if err != nil {
		return err
	}
	return conn.Close()
}

func listEndpoints(endpoints []string) string { return strings.Join(endpoints, ",") }
