package opstest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/ops"
	"kith/ops/opstest"
)

// probe is a way to call a method of [ops.Backend], and perhaps to be refused.
type probe struct {
	method string
	call   func() (any, error)
}

// probing is a charm that calls every method of the Backend in every way that matters, and logs the
// answers.
type probing struct {
	b      ops.Backend
	secret string // its own, once it has one
	probes []probe
}

func newProbing(f *ops.Framework) (*probing, error) {
	c := &probing{b: f.Backend()}
	all := func() error {
		rel, err := f.Model().GetRelation("link")
		if err != nil {
			return err
		}
		c.relations(rel.Ref(), ops.RelationRef{Endpoint: "link", ID: 77})
		c.secrets(rel.Ref(), ops.RelationRef{Endpoint: "link", ID: 77})
		c.units()
		c.machines()
		for _, p := range c.probes {
			v, err := p.call()
			c.say(p.method, v, err)
		}
		return nil
	}
	f.Observe(
		ops.OnUpdateStatus(func(*ops.UpdateStatusEvent) error { return all() }),
		ops.OnAction("backup", func(*ops.ActionEvent) error { return all() }),
	)
	return c, nil
}

// say logs an answer, or all that a charm can tell of a refusal.
func (c *probing) say(method string, v any, err error) {
	line := method
	if err == nil {
		text, bad := json.Marshal(v)
		if r := reflect.ValueOf(v); (r.Kind() == reflect.Map || r.Kind() == reflect.Slice) && r.Len() == 0 {
			text = []byte("nothing") // nil, or not
		}
		line += fmt.Sprintf(" ok %s %v", text, bad)
	} else {
		var refused *ops.ModelError
		errors.As(err, &refused)
		line += fmt.Sprintf(" refused %q %+v", err, refused)
		for _, kind := range []error{ops.ErrRelationNotFound, ops.ErrSecretNotFound, ops.ErrPermission, ops.ErrNotLeader, ops.ErrToolNotFound} {
			line += fmt.Sprint(" ", errors.Is(err, kind))
		}
	}
	_ = c.b.Log("INFO", line) // nobody else to tell
}

func (c *probing) add(method string, call func() (any, error)) {
	c.probes = append(c.probes, probe{method, call})
}

func (c *probing) do(method string, call func() error) {
	c.add(method, func() (any, error) { return nil, call() })
}

// want is a call that gives a value.
func want[T any](c *probing, method string, call func() (T, error)) {
	c.add(method, func() (any, error) { return call() })
}

func (c *probing) relations(known, gone ops.RelationRef) {
	b := c.b
	for _, endpoint := range []kith.EndpointName{"link", "nosuch"} {
		want(c, "RelationIDs", func() ([]kith.RelationID, error) { return b.RelationIDs(endpoint) })
	}
	for _, owner := range []string{"every/0", "other/0", "other/9", "other", "stranger/0", "-x-", ""} {
		want(c, "RelationGet", func() (map[string]string, error) { return b.RelationGet(known, false, owner) })
	}
	for _, r := range []ops.RelationRef{known, gone} {
		want(c, "RelationUnits", func() ([]kith.UnitName, error) { return b.RelationUnits(r) })
		want(c, "RelationApp", func() (kith.AppName, error) { return b.RelationApp(r) })
		want(c, "RelationModel", func() (kith.ModelUUID, error) { return b.RelationModel(r) })
		for _, owner := range []string{"every", "other"} {
			want(c, "RelationGet", func() (map[string]string, error) { return b.RelationGet(r, true, owner) })
		}
		for _, app := range []bool{false, true} {
			for _, set := range []map[string]string{{"k": "v\n\x00ä", "": "x", "-": "="}, {"k": ""}} {
				c.do("RelationSet", func() error { return b.RelationSet(r, app, set) })
			}
		}
		want(c, "NetworkGet", func() (ops.Network, error) { return b.NetworkGet("link", &r) })
	}
	for _, binding := range []string{"link", "nosuch", ""} {
		want(c, "NetworkGet", func() (ops.Network, error) { return b.NetworkGet(binding, nil) })
	}
}

func (c *probing) secrets(known, gone ops.RelationRef) {
	b := c.b
	for _, owner := range []ops.SecretOwner{ops.UnitOwner, ops.AppOwner, "nobody"} {
		want(c, "SecretAdd", func() (string, error) {
			id, err := b.SecretAdd(owner, ops.SecretSpec{Label: "of " + string(owner), Rotate: ops.RotateHourly}, map[string]string{"user-name": "a=b"})
			if err == nil {
				c.secret = id
			}
			return id, err
		})
	}
	want(c, "SecretAdd", func() (string, error) { return b.SecretAdd(ops.UnitOwner, ops.SecretSpec{}, nil) })
	for _, id := range []func() string{func() string { return c.secret }, func() string { return "x" }} {
		c.do("SecretSet", func() error {
			return b.SecretSet(id(), ops.SecretSpec{Description: "-d"}, map[string]string{"password": "new"})
		})
	}
	const nobodys = "secret:d2fjn1fmp25004or68b0"
	for _, id := range []func() string{func() string { return c.secret }, func() string { return nobodys }, func() string { return "" }} {
		for _, label := range []string{"", "of unit", "nosuch"} {
			want(c, "SecretGet", func() (map[string]string, error) { return b.SecretGet(id(), label, ops.TrackedRevision) })
			want(c, "SecretInfo", func() (ops.SecretInfo, error) { return b.SecretInfo(id(), label) })
		}
		want(c, "SecretGet", func() (map[string]string, error) { return b.SecretGet(id(), "", ops.PeekRevision) })
		want(c, "SecretGet", func() (map[string]string, error) { return b.SecretGet(id(), "", ops.RefreshRevision) })
		c.do("SecretGrant", func() error { return b.SecretGrant(id(), known, "") })
		c.do("SecretRevoke", func() error { return b.SecretRevoke(id(), known, "") })
	}
	for _, unit := range []kith.UnitName{"other/0", "stranger/0"} {
		c.do("SecretGrant", func() error { return b.SecretGrant(c.secret, known, unit) })
		c.do("SecretRevoke", func() error { return b.SecretRevoke(c.secret, known, unit) })
	}
	c.do("SecretGrant", func() error { return b.SecretGrant(c.secret, gone, "") })
	c.do("SecretRevoke", func() error { return b.SecretRevoke(c.secret, gone, "") })
	want(c, "SecretIDs", b.SecretIDs)
	c.do("SecretRemove", func() error { return b.SecretRemove(c.secret, 0) })
	c.do("SecretRemove", func() error { return b.SecretRemove(nobodys, 1) })
}

func (c *probing) units() {
	b := c.b
	want(c, "IsLeader", b.IsLeader)
	want(c, "ConfigGet", b.ConfigGet)
	for _, app := range []bool{false, true} {
		for _, s := range []ops.Status{ops.ActiveStatus("-- ä"), {Name: "ready"}, {}} {
			c.do("StatusSet", func() error { return b.StatusSet(app, s) })
		}
		want(c, "StatusGet", func() (ops.Status, error) { return b.StatusGet(app) })
	}
	want(c, "GoalState", b.GoalState)
	c.do("Log", func() error { return b.Log("LOUD", "-- hello\n") })
	c.do("VersionSet", func() error { return b.VersionSet("-1 ä") })
	for _, set := range []map[string]string{{"k": "v\n", "empty": ""}, {strings.Repeat("k", 257): "v"}, {"v": strings.Repeat("v", 65537)}} {
		c.do("StateSet", func() error { return b.StateSet(set, []string{"k2", "k"}) })
	}
	want(c, "StateGet", b.StateGet)
	want(c, "ActionGet", b.ActionGet)
	for _, set := range []map[string]string{{"a.b": "c=d", "e": ""}, {"Bad": "x"}, {"stdout": "x"}, {}} {
		c.do("ActionSet", func() error { return b.ActionSet(set) })
	}
	c.do("ActionLog", func() error { return b.ActionLog("-- so far") })
	c.do("ActionFail", func() error { return b.ActionFail("") })
}

func (c *probing) machines() {
	b := c.b
	for _, p := range []ops.Port{ops.TCP(80), ops.UDP(53), ops.ICMP(), {Protocol: "tcp", From: 75, To: 85}, {Protocol: "tcp", From: 9, To: 8}, {Protocol: "sctp", From: 1, To: 1}, ops.TCP(70000), {}} {
		c.do("OpenPort", func() error { return b.OpenPort(p, nil) })
	}
	c.do("OpenPort", func() error { return b.OpenPort(ops.TCP(443), []kith.EndpointName{"link", "juju-info"}) })
	c.do("OpenPort", func() error { return b.OpenPort(ops.TCP(444), []kith.EndpointName{"nosuch"}) })
	want(c, "OpenedPorts", b.OpenedPorts)
	for _, p := range []ops.Port{ops.TCP(80), ops.TCP(81), ops.UDP(53), ops.ICMP(), {Protocol: "sctp", From: 1, To: 1}} {
		c.do("ClosePort", func() error { return b.ClosePort(p, nil) })
	}
	for _, name := range []string{"software", "nosuch", ""} {
		want(c, "ResourceGet", func() (string, error) {
			path, err := b.ResourceGet(name)
			return filepath.Base(path), err
		})
	}
	want(c, "CredentialGet", b.CredentialGet)
	c.do("Reboot", func() error { return b.Reboot(false) })
	for _, name := range []string{"data", "nosuch"} {
		want(c, "StorageList", func() ([]string, error) { return b.StorageList(name) })
	}
	for _, id := range []string{"data/0", "data/9", "nosuch", ""} {
		want(c, "StorageGet", func() ([2]string, error) {
			kind, location, err := b.StorageGet(id)
			return [2]string{kind, location}, err
		})
	}
	for _, n := range []int{0, -1} {
		c.do("StorageAdd", func() error { return b.StorageAdd("data", n) })
	}
	c.do("StorageAdd", func() error { return b.StorageAdd("data", 1) })
}

// probingStory is every call, in a hook and in an action of a leader that is trusted, and in a hook of a unit
// that is neither.
func probingStory(t *testing.T, c *opstest.Charm) string {
	t.Helper()
	h := opstest.NewHarness(t, c)
	h.SetTrust(true)
	h.AddStorage("data", 1)
	h.AddResource("software", []byte("one"))
	h.SetLeader(true)
	h.AddRelation("link", "other", opstest.UnitData(map[string]string{"hello": "\"world\"\n"}), opstest.AppData(map[string]string{"a": "b"}))
	h.BeginWithInitialHooks()
	var b strings.Builder
	tell := func(err error) {
		for _, l := range h.Log() {
			fmt.Fprintln(&b, l.Level, l.Message)
		}
		fmt.Fprintln(&b, err, h.Status(), h.AppStatus(), h.OpenedPorts(), h.WorkloadVersion(), h.Reboots(), h.StoredState(), h.Secrets())
	}
	tell(h.Try(func() { h.UpdateStatus() }))
	var result opstest.ActionResult
	tell(h.Try(func() { result = h.RunAction("backup", map[string]any{"to": "there"}) }))
	fmt.Fprintf(&b, "%+v\n", result)
	h.SetTrust(false)
	h.SetLeader(false)
	tell(h.Try(func() { h.UpdateStatus() }))
	return temporary.ReplaceAllString(b.String(), "DIR")
}

// neverRefused are the calls that nothing a charm gives them makes fail.
var neverRefused = []string{"RelationIDs", "SecretIDs", "IsLeader", "ConfigGet", "GoalState", "Log", "VersionSet", "OpenedPorts", "StateGet", "StorageList"}

// "It speaks to the hook tools, and over kith's socket directly when it finds it": every method of the
// Backend gives the same answers and the same refusals in process, over the socket, and through
// tools under a host that is not known to be kith.
func TestEveryMethodEveryWay(t *testing.T) {
	t.Parallel()
	want := probingStory(t, opstest.NewCharm(newProbing, opstest.YAML(everyYAML)))
	for way, script := range map[string]string{"socket": overSocket, "tools": throughTools} { // any order: each alone
		got := probingStory(t, everyFolder(t, "probing", script, filepath.Join(t.TempDir(), "calls")))
		theirs, ours := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range max(len(theirs), len(ours)) {
			if i >= len(theirs) || i >= len(ours) || theirs[i] != ours[i] {
				t.Errorf("by way of the %s the answers are, from the first that differs,\n%s\nand in process\n%s", way,
					strings.Join(theirs[min(i, len(theirs)):min(i+3, len(theirs))], "\n"), strings.Join(ours[min(i, len(ours)):min(i+3, len(ours))], "\n"))
				break
			}
		}
	}
	for m := range reflect.TypeFor[ops.Backend]().Methods() {
		if !strings.Contains(want, " "+m.Name+" ok ") {
			t.Errorf("%s never succeeded", m.Name)
		}
		if refused := strings.Contains(want, " "+m.Name+" refused "); refused == slices.Contains(neverRefused, m.Name) {
			t.Errorf("%s was refused: %v", m.Name, refused)
		}
	}
}
