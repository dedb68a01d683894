package store

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
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
	if err := CheckEndpoints(cfg.Endpoints); err != nil {
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

// CheckEndpoints refuses what cannot be the URLs of a cluster, before anything is dialled. Errors: Invalid.
func CheckEndpoints(endpoints []string) error {
	if len(endpoints) == 0 {
		return kith.Errorf(kith.Invalid, "no etcd endpoint")
	}
	for _, e := range endpoints {
		u, err := url.Parse(e)
		if err != nil || u.Host+u.Path == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "unix" && u.Scheme != "unixs" {
			return kith.Errorf(kith.Invalid, "invalid etcd endpoint %q", redacted(u, e)).WithHint("endpoints look like https://host:2379, with commas between them")
		}
		if u.User != nil {
			return kith.Errorf(kith.Invalid, "invalid etcd endpoint %q: it holds a user", u.Redacted()).
				WithHint("set KITH_ETCD_USER and KITH_ETCD_PASSWORD instead: everybody can read a command line")
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
		config = config.Clone() // nil stays nil
		if config == nil {
			config = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		config.NextProtos = []string{"h2"}
		dial = (&tls.Dialer{Config: config}).DialContext
	}
	conn, err := dial(ctx, network, address)
	if err != nil {
		return err
	}
	defer conn.Close() // it has said what it had to say
	return greet(ctx, conn)
}

// greeting is how a client of HTTP/2 begins: the preface, and a frame of no settings.
const greeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// greet sees whether the other side says anything to a client. Only now does a server that
// wants a certificate, or TLS, turn its back on one who has none; gRPC would try on. That it says
// nothing in time may have other reasons, which are found out later.
func greet(ctx context.Context, conn net.Conn) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(conn, greeting); err != nil {
		return err
	}
	_, secure := conn.(*tls.Conn)
	var first [1]byte
	const alert = 0x15 // the type of TLS's records that say what is wrong
	switch _, err := conn.Read(first[:]); {
	case err == nil && first[0] == alert && !secure, errors.Is(err, io.EOF) && !secure:
		return errors.New("it hangs up: does it want https?")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	default:
		return err
	}
}

func listEndpoints(endpoints []string) string { return strings.Join(endpoints, ",") }

// redacted is a URL, or what was to be one, without a password.
func redacted(u *url.URL, text string) string {
	if u == nil || u.User == nil {
		return text
	}
	return u.Redacted()
}
