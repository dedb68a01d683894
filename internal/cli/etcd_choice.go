package cli

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/store"
)

// embedded is the value of --etcd that stands for the etcd inside the process.
const embedded = "embedded"

// etcdChoice is which etcd cluster holds the data, and how to be let in: everything
// but the password, which is in no file and no command line. No URLs: the data is in the
// etcd inside the process. The files are absolute paths.
type etcdChoice struct {
	urls              []string
	caCert, cert, key string // PEM files
	user              string
	changed           func(flag string) bool // whether a flag was given
}

// certificates are the files with their names: of the flag behind "etcd-", in the
// remembered choice, and, in capitals behind KITH_ETCD_, in the environment.
func (c *etcdChoice) certificates() []certificateFile {
	return []certificateFile{{"cacert", &c.caCert}, {"cert", &c.cert}, {"key", &c.key}}
}

type certificateFile struct {
	name string
	path *string
}

func (c *etcdChoice) declare(f *pflag.FlagSet) {
	f.StringSliceVar(&c.urls, "etcd", nil, "URLs of an etcd cluster to keep the data in: URL[,URL...], or embedded")
	f.StringVar(&c.caCert, "etcd-cacert", "", "File with the certificates of who signed the cluster's")
	f.StringVar(&c.cert, "etcd-cert", "", "File with our certificate, for a cluster that asks for one")
	f.StringVar(&c.key, "etcd-key", "", "File with the key of our certificate")
	c.changed = f.Changed
}

// complete adds what no flag has said: first the environment's, then what was remembered in the
// data folder. A start that forgets the flags must not show an empty controller.
func (c *etcdChoice) complete(getenv func(string) string, old etcdChoice) error {
	if c.changed("etcd") {
		switch {
		case slices.Equal(c.urls, []string{embedded}):
			*c = etcdChoice{changed: c.changed}
			return nil
		case len(c.urls) == 0:
			return usagef(`invalid value "" for option --etcd: no URL`)
		}
	} else {
		c.urls = old.urls
	}
	if len(c.urls) == 0 {
		return nil
	}
	if err := store.CheckEndpoints(c.urls); err != nil {
		return &usageError{err}
	}
	same := slices.Equal(c.urls, old.urls)
	remembered := old.certificates()
	for i, file := range c.certificates() {
		*file.path = cmp.Or(*file.path, getenv("KITH_ETCD_"+strings.ToUpper(file.name)))
		if *file.path == "" && same {
			*file.path = *remembered[i].path
		}
		if *file.path == "" {
			continue
		}
		abs, err := filepath.Abs(*file.path)
		if err != nil {
			return err
		}
		*file.path = abs
	}
	if c.user = getenv(etcdUserVariable); c.user == "" && same {
		c.user = old.user
	}
	return nil
}

// The environment says who we are to a cluster that asks: a command line can be read by everybody.
const (
	etcdUserVariable     = "KITH_ETCD_USER"
	etcdPasswordVariable = "KITH_ETCD_PASSWORD"
)

// args are the flags that repeat the choice, for the process in the background.
func (c *etcdChoice) args() []string {
	if len(c.urls) == 0 {
		return []string{"--etcd", embedded}
	}
	args := []string{"--etcd", strings.Join(c.urls, ",")}
	for _, file := range c.certificates() {
		if *file.path != "" {
			args = append(args, "--etcd-"+file.name, *file.path)
		}
	}
	return args
}

// where names the store to people.
func (c *etcdChoice) where() string {
	if len(c.urls) == 0 {
		return "the store inside the process"
	}
	return "etcd at " + strings.Join(c.urls, ",")
}

// dialConfig is how to reach the cluster.
func (c *etcdChoice) dialConfig(getenv func(string) string) (store.DialConfig, error) {
	config, err := c.tls()
	return store.DialConfig{Endpoints: c.urls, TLS: config, Username: c.user, Password: getenv(etcdPasswordVariable)}, err
}

// tls reads the certificates; nil if there are none. Errors: Invalid for files that hold none.
func (c *etcdChoice) tls() (*tls.Config, error) {
	if c.caCert == "" && c.cert == "" && c.key == "" {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.caCert != "" {
		pem, err := os.ReadFile(c.caCert)
		if err != nil {
			return nil, kith.Errorf(kith.Invalid, "cannot read --etcd-cacert: %v", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, kith.Errorf(kith.Invalid, "cannot read --etcd-cacert: %q holds no certificate", c.caCert).
				WithHint("it must be a PEM file, with -----BEGIN CERTIFICATE-----")
		}
	}
	if c.cert == "" && c.key == "" {
		return config, nil
	}
	if c.cert == "" || c.key == "" {
		return nil, kith.Errorf(kith.Invalid, "cannot read our certificate for etcd: it takes both --etcd-cert and --etcd-key")
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, kith.Errorf(kith.Invalid, "cannot read --etcd-cert %q and --etcd-key %q: %v", c.cert, c.key, err).
			WithHint("both must be PEM files, and the key the certificate's")
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// remembered is the choice of the last start: one URL a line, then NAME=VALUE for what else there is.
func (d *daemon) remembered() (etcdChoice, error) {
	var c etcdChoice
	text, err := os.ReadFile(d.etcdFile())
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("cannot see which etcd to use: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		switch name, value, _ := strings.Cut(line, "="); name {
		case "":
		case "cacert":
			c.caCert = value
		case "cert":
			c.cert = value
		case "key":
			c.key = value
		case "user":
			c.user = value
		default:
			c.urls = append(c.urls, line)
		}
	}
	return c, nil
}

// rememberStore keeps the choice for the next start.
func (d *daemon) rememberStore() error {
	path := d.etcdFile()
	if len(d.etcd.urls) == 0 {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot forget which etcd was used: %w", err)
		}
		return nil
	}
	text := strings.Join(d.etcd.urls, "\n") + "\n"
	for _, file := range d.etcd.certificates() {
		if *file.path != "" {
			text += file.name + "=" + *file.path + "\n"
		}
	}
	if d.etcd.user != "" {
		text += "user=" + d.etcd.user + "\n"
	}
	return writeFile(path, []byte(text))
}

func (d *daemon) etcdFile() string { return filepath.Join(d.data, etcdURLsName) }
