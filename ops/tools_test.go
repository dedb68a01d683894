package ops_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"kith"
	"kith/ops"
)

// recorder notes calls and answers with what the reference says the tools print.
type recorder struct {
	calls  []string
	stdout string
}

func (r *recorder) Call(c ops.ToolCall) (ops.ToolResult, error) {
	line := c.Tool + " " + strings.Join(slices.Concat(c.Args, c.Private), " ")
	if c.Stdin != nil {
		line += " <<< " + string(c.Stdin)
	}
	r.calls = append(r.calls, strings.TrimSpace(line))
	return ops.ToolResult{Stdout: []byte(r.stdout)}, nil
}

// Hook protocol reference, section 16.1: the forms in which ops calls the tools are
// those that every host has to understand.
func TestCallForms(t *testing.T) {
	t.Parallel()
	ref := ops.RelationRef{Endpoint: "db", ID: 4}
	at := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	for want, call := range map[string]func(b ops.Backend) error{
		"relation-ids db --format=json":                              func(b ops.Backend) error { _, err := b.RelationIDs("db"); return err },
		"relation-list --format=json -r db:4":                        func(b ops.Backend) error { _, err := b.RelationUnits(ref); return err },
		"relation-list --format=json --app -r db:4":                  func(b ops.Backend) error { _, err := b.RelationApp(ref); return err },
		"relation-get --format=json -r db:4 - pg/0":                  func(b ops.Backend) error { _, err := b.RelationGet(ref, false, "pg/0"); return err },
		"relation-get --format=json -r db:4 --app - pg":              func(b ops.Backend) error { _, err := b.RelationGet(ref, true, "pg"); return err },
		`relation-set -r db:4 --file - <<< {"a":"1"}`:                func(b ops.Backend) error { return b.RelationSet(ref, false, map[string]string{"a": "1"}) },
		`relation-set -r db:4 --app --file - <<< {"a":""}`:           func(b ops.Backend) error { return b.RelationSet(ref, true, map[string]string{"a": ""}) },
		"relation-model-get --format=json -r db:4":                   func(b ops.Backend) error { _, err := b.RelationModel(ref); return err },
		"network-get --format=json db":                               func(b ops.Backend) error { _, err := b.NetworkGet("db", nil); return err },
		"network-get --format=json -r 4 db":                          func(b ops.Backend) error { _, err := b.NetworkGet("db", &ref); return err },
		"is-leader --format=json":                                    func(b ops.Backend) error { _, err := b.IsLeader(); return err },
		"config-get --format=json":                                   func(b ops.Backend) error { _, err := b.ConfigGet(); return err },
		"status-get --include-data --format=json --application=true": func(b ops.Backend) error { _, err := b.StatusGet(true); return err },
		"status-set --application=false active -- -x":                func(b ops.Backend) error { return b.StatusSet(false, ops.ActiveStatus("-x")) },
		"juju-log --log-level DEBUG -- -m":                           func(b ops.Backend) error { return b.Log("DEBUG", "-m") },
		"application-version-set -- 1.2":                             func(b ops.Backend) error { return b.VersionSet("1.2") },
		"goal-state --format=json":                                   func(b ops.Backend) error { _, err := b.GoalState(); return err },
		"open-port 80/tcp":                                           func(b ops.Backend) error { return b.OpenPort(ops.TCP(80), nil) },
		"open-port --endpoints db,http 8000-8010/udp": func(b ops.Backend) error {
			return b.OpenPort(ops.Port{Protocol: "udp", From: 8000, To: 8010}, []kith.EndpointName{"db", "http"})
		},
		"close-port icmp":                           func(b ops.Backend) error { return b.ClosePort(ops.ICMP(), nil) },
		"opened-ports --format=json":                func(b ops.Backend) error { _, err := b.OpenedPorts(); return err },
		"resource-get image":                        func(b ops.Backend) error { _, err := b.ResourceGet("image"); return err },
		"credential-get --format=json":              func(b ops.Backend) error { _, err := b.CredentialGet(); return err },
		"juju-reboot":                               func(b ops.Backend) error { return b.Reboot(false) },
		"juju-reboot --now":                         func(b ops.Backend) error { return b.Reboot(true) },
		"state-get --format=json":                   func(b ops.Backend) error { _, err := b.StateGet(); return err },
		`state-set --file - <<< {"a":"1"}`:          func(b ops.Backend) error { return b.StateSet(map[string]string{"a": "1"}, nil) },
		"state-delete a":                            func(b ops.Backend) error { return b.StateSet(nil, []string{"a"}) },
		"action-get --format=json":                  func(b ops.Backend) error { _, err := b.ActionGet(); return err },
		"action-set a.b=1 c=2":                      func(b ops.Backend) error { return b.ActionSet(map[string]string{"c": "2", "a.b": "1"}) },
		"action-log -- -x":                          func(b ops.Backend) error { return b.ActionLog("-x") },
		"action-fail -- -x":                         func(b ops.Backend) error { return b.ActionFail("-x") },
		"storage-list --format=json data":           func(b ops.Backend) error { _, err := b.StorageList("data"); return err },
		"storage-get --format=json -s data/0":       func(b ops.Backend) error { _, _, err := b.StorageGet("data/0"); return err },
		"storage-add data=2":                        func(b ops.Backend) error { return b.StorageAdd("data", 2) },
		"secret-get --format=json x --label l":      func(b ops.Backend) error { _, err := b.SecretGet("x", "l", ops.TrackedRevision); return err },
		"secret-get --format=json x --refresh":      func(b ops.Backend) error { _, err := b.SecretGet("x", "", ops.RefreshRevision); return err },
		"secret-get --format=json --label l --peek": func(b ops.Backend) error { _, err := b.SecretGet("", "l", ops.PeekRevision); return err },
		"secret-ids --format=json":                  func(b ops.Backend) error { _, err := b.SecretIDs(); return err },
		"secret-grant --relation 4 x":               func(b ops.Backend) error { return b.SecretGrant("x", ref, "") },
		"secret-grant --relation 4 --unit pg/0 x":   func(b ops.Backend) error { return b.SecretGrant("x", ref, "pg/0") },
		"secret-revoke --relation 4 x":              func(b ops.Backend) error { return b.SecretRevoke("x", ref, "") },
		"secret-remove x":                           func(b ops.Backend) error { return b.SecretRemove("x", 0) },
		"secret-remove x --revision 3":              func(b ops.Backend) error { return b.SecretRemove("x", 3) },
		"secret-set --rotate monthly x":             func(b ops.Backend) error { return b.SecretSet("x", ops.SecretSpec{Rotate: ops.RotateMonthly}, nil) },
		"secret-add --label l --description d --expire 2025-06-01T00:00:00Z --rotate daily --owner unit user-name#base64=cm9vdA==": func(b ops.Backend) error {
			_, err := b.SecretAdd(ops.UnitOwner, ops.SecretSpec{Label: "l", Description: "d", Expire: at, Rotate: ops.RotateDaily}, map[string]string{"user-name": "root"})
			return err
		},
		"secret-add --expire 24h0m0s --owner application user-name#base64=cm9vdA==": func(b ops.Backend) error {
			_, err := b.SecretAdd(ops.AppOwner, ops.SecretSpec{ExpireIn: 24 * time.Hour}, map[string]string{"user-name": "root"})
			return err
		},
	} {
		r := &recorder{stdout: "null"}
		if err := call(ops.NewToolBackend(r)); err != nil || len(r.calls) != 1 || r.calls[0] != want {
			t.Errorf("called %q, want %q (%v)", r.calls, want, err)
		}
	}
}

// answered makes one call that prints stdout.
func answered[T any](t *testing.T, stdout string, call func(ops.Backend) (T, error), want T) {
	t.Helper()
	got, err := call(ops.NewToolBackend(&recorder{stdout: stdout}))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("of %s was read\n%+v, want\n%+v (%v)", stdout, got, want, err)
	}
}

// The outputs are those of the reference, sections 9 to 13.
func TestOutputs(t *testing.T) {
	t.Parallel()
	answered(t, `["icmp","80/tcp","8000-8010/udp"]`, ops.Backend.OpenedPorts, []ops.Port{ops.ICMP(), ops.TCP(80), {Protocol: "udp", From: 8000, To: 8010}})
	answered(t, `["db:10","db:2"]`, func(b ops.Backend) ([]kith.RelationID, error) { return b.RelationIDs("db") }, []kith.RelationID{10, 2})
	answered(t, `{"a":1,"b":0.5,"c":"x","d":true,"e":9007199254740993}`, ops.Backend.ConfigGet,
		map[string]any{"a": int64(1), "b": 0.5, "c": "x", "d": true, "e": int64(9007199254740993)})
	answered(t, `null`, ops.Backend.StateGet, nil)
	answered(t, "/srv/image.tgz", func(b ops.Backend) (string, error) { return b.ResourceGet("image") }, "/srv/image.tgz")
	answered(t, "secret:d5k0example0000000ab\n", func(b ops.Backend) (string, error) {
		return b.SecretAdd(ops.UnitOwner, ops.SecretSpec{}, map[string]string{"abc": "x"})
	}, "secret:d5k0example0000000ab")
	answered(t, `{"d5k0example0000000ab":{"revision":2,"label":"db-password","owner":"application","description":"admin password","rotation":"monthly","expiry":"2025-06-01T00:00:00Z"}}`,
		func(b ops.Backend) (ops.SecretInfo, error) { return b.SecretInfo("", "db-password") },
		ops.SecretInfo{ID: "d5k0example0000000ab", Revision: 2, Label: "db-password", Owner: ops.AppOwner, Description: "admin password",
			Rotation: ops.RotateMonthly, Expires: time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)})
	answered(t, `{"units":{"web/0":{"status":"active","since":"2025-01-31 10:20:30Z"}},"relations":{"db":{"pg":{"status":"joined","since":"?"}}}}`,
		ops.Backend.GoalState, ops.GoalState{
			Units:     map[kith.UnitName]ops.GoalStatus{"web/0": {Status: "active", Since: time.Date(2025, 1, 31, 10, 20, 30, 0, time.UTC)}},
			Relations: map[kith.EndpointName]map[string]ops.GoalStatus{"db": {"pg": {Status: "joined"}}},
		})
	answered(t, `{"bind-addresses":[{"mac-address":"m","interface-name":"eth0","addresses":[{"hostname":"","value":"10.0.0.5","cidr":"10.0.0.0/24"},{"hostname":"","value":"fd00::1","cidr":""}]},
		{"mac-address":"","interface-name":"lo","addresses":null}],"egress-subnets":["10.0.0.5/32"],"ingress-addresses":["web.example"]}`,
		func(b ops.Backend) (ops.Network, error) { return b.NetworkGet("db", nil) }, ops.Network{
			Interfaces: []ops.NetworkInterface{
				{Name: "eth0", MAC: "m", Address: "10.0.0.5", Subnet: "10.0.0.0/24"}, {Name: "eth0", MAC: "m", Address: "fd00::1", Subnet: "fd00::1/128"}},
			IngressAddresses: []ops.Address{"web.example"}, EgressSubnets: []ops.Subnet{"10.0.0.5/32"},
		})
	answered(t, `{"type":"lxd","name":"localhost","credential":{"auth-type":"certificate","attrs":{"client-cert":"c"},"redacted":["client-key"]}}`,
		ops.Backend.CredentialGet, ops.CloudSpec{Type: "lxd", Name: "localhost",
			Credential: &ops.CloudCredential{AuthType: "certificate", Attributes: map[string]string{"client-cert": "c"}, Redacted: []string{"client-key"}}})
	answered(t, `{"application-status":{"message":"m","status":"active","status-data":{},"units":{}}}`,
		func(b ops.Backend) (ops.Status, error) { return b.StatusGet(true) }, ops.ActiveStatus("m"))
	for _, stdout := range []string{"", "not json"} {
		if _, err := ops.NewToolBackend(&recorder{stdout: stdout}).IsLeader(); kith.CodeOf(err) != kith.Internal {
			t.Errorf("of %q: %v", stdout, err)
		}
	}
}

// A message longer than an argument may be goes out in pieces (section 16.1).
func TestLongLog(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	if err := ops.NewToolBackend(r).Log("INFO", strings.Repeat("x", 131071)+"y"); err != nil || len(r.calls) != 2 || !strings.HasSuffix(r.calls[1], "-- y") {
		t.Errorf("%d calls, %v", len(r.calls), err)
	}
}

// Pieces end between letters, and what is no text goes out all the same.
func TestLongLogIsText(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]string{"letters": strings.Repeat("x", 131070) + "äöü", "bytes": strings.Repeat("\x80", 300000)} {
		r := &recorder{}
		if err := ops.NewToolBackend(r).Log("INFO", message); err != nil {
			t.Error(err)
		}
		whole := ""
		for _, call := range r.calls {
			part := strings.TrimPrefix(call, "juju-log --log-level INFO -- ")
			if whole += part; len(part) > 131071 || name == "letters" && !utf8.ValidString(part) {
				t.Errorf("%s: a piece of %d bytes", name, len(part))
			}
		}
		if whole != message {
			t.Errorf("%s: %d of %d bytes came in %d pieces", name, len(whole), len(message), len(r.calls))
		}
	}
}

func TestPortsAndLog(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.run(t, configure, func(f *ops.Framework) {
		log := f.Logger().With("who", "me").WithGroup("g")
		log.Info("hello", "k", "two words", "n", 1)
		log.Debug("d")
		log.Error("e", "empty", "")
		u := f.Model().Unit()
		if err := errors.Join(u.OpenPort(ops.TCP(80)), u.OpenPort(ops.UDP(53)), u.SetPorts(ops.TCP(443), ops.TCP(80), ops.TCP(443))); err != nil {
			t.Error(err)
		}
		open, err := u.OpenedPorts()
		if err != nil || !slices.Equal(open, []ops.Port{ops.TCP(80), ops.TCP(443)}) {
			t.Errorf("open: %v, %v", open, err)
		}
	})
	want := []string{`INFO hello who=me g.k="two words" g.n=1`, "DEBUG d who=me", `ERROR e who=me g.empty=""`}
	if !slices.Equal(w.log, want) {
		t.Errorf("log %q", w.log)
	}
}

func TestLocalState(t *testing.T) {
	t.Parallel()
	s := ops.LocalState{Path: t.TempDir() + "/state.json"}
	if got, err := s.StateGet(); len(got) != 0 || err != nil {
		t.Errorf("without a file: %v, %v", got, err)
	}
	if err := s.StateSet(map[string]string{"a": "1", "b": "2"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.StateSet(map[string]string{"c": "3"}, []string{"a", "absent"}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.StateGet(); !maps.Equal(got, map[string]string{"b": "2", "c": "3"}) || err != nil {
		t.Errorf("read back %v, %v", got, err)
	}
	if info, err := os.Stat(s.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
}

// A file that is not ours, and places that are none, are said to be.
func TestLocalStateErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := dir + "/file"
	for name, text := range map[string]string{"python": "SQLite format 3\x00", "empty": "", "list": "[]", "cut": `{"a":"1`, "typed": `{"a":1}`} {
		s := ops.LocalState{Path: dir + "/" + name}
		if err := os.WriteFile(s.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := s.StateGet()
		for _, err := range []error{err, s.StateSet(map[string]string{"a": "1"}, nil)} {
			if kith.CodeOf(err) != kith.Invalid || !strings.Contains(err.Error(), s.Path) || kith.HintOf(err) == "" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if kept, err := os.ReadFile(s.Path); err != nil || string(kept) != text {
			t.Errorf("%s: the file was changed to %q, %v", name, kept, err)
		}
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (ops.LocalState{Path: dir}).StateGet(); kith.CodeOf(err) != kith.Unavailable || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder: %v", err)
	}
	for _, path := range []string{dir + "/nosuch/state.json", file + "/state.json"} {
		err := ops.LocalState{Path: path}.StateSet(map[string]string{"a": "1"}, nil)
		if kith.CodeOf(err) != kith.Unavailable || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if left, err := filepath.Glob(dir + "/*.*"); len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
