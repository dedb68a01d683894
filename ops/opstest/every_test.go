package opstest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"kith"
	"kith/ops"
)

const everyYAML = `
name: every
type: charm
summary: for tests
description: for tests
base: ubuntu@24.04
platforms: {amd64: }
provides:
  link: {interface: link}
storage:
  data: {type: filesystem, multiple: {range: 0-5}}
resources:
  software: {type: file, filename: software.txt}
config:
  options:
    x: {type: string, default: a}
    count: {type: int, default: 3}
actions:
  backup:
    description: d
    params:
      to: {type: string}
`

// every is a charm that makes every call there is, and logs what came of it: what a tool is
// asked, and how its answer is read, shows in there.
type every struct {
	f     *ops.Framework
	model *ops.Model
	kept  struct{ Events []string }
}

func newEvery(f *ops.Framework) (*every, error) {
	c := &every{f: f, model: f.Model()}
	if err := f.StoredState("kept", &c.kept); err != nil {
		return nil, err
	}
	f.Observe(
		ops.OnStorageAttached("data", func(e *ops.StorageAttachedEvent) error {
			return os.WriteFile(filepath.Join(e.Storage.Location, "mark"), []byte(c.model.Unit().Name()), 0o600)
		}),
		ops.OnRelationChanged("link", func(e *ops.RelationChangedEvent) error {
			return errors.Join(c.relation(e.Relation, e.Unit), c.network(e.Relation), c.secrets(e.Relation))
		}),
		ops.OnInstall(c.install).Named("every.install"),
		ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { return c.unit() }),
		ops.OnUpdateStatus(func(*ops.UpdateStatusEvent) error { return errors.Join(c.machine(), c.model.Unit().Reboot(false)) }),
		ops.OnAction("backup", c.backup),
		ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error {
			e.AddStatus(ops.ActiveStatus(fmt.Sprint("-- after ", len(c.kept.Events))))
			return nil
		}),
		ops.OnCollectAppStatus(func(e *ops.CollectStatusEvent) error { e.AddStatus(ops.WaitingStatus("for more")); return nil }),
	)
	c.kept.Events = append(c.kept.Events, f.Env().Name())
	return c, nil
}

// install is deferred once, which writes and deletes what is kept.
func (c *every) install(e *ops.InstallEvent) error {
	if slices.Contains(c.kept.Events[:len(c.kept.Events)-1], "install") {
		return nil
	}
	return e.Defer()
}

// say logs what a call has given, as JSON, and its error.
func (c *every) say(call string, what any, err error) {
	text, bad := json.Marshal(what)
	if bad != nil {
		text = []byte(bad.Error())
	}
	c.f.Logger().Info(fmt.Sprintf("%s: %s %v", call, text, err))
}

func said[T any](c *every, call string) func(T, error) T {
	return func(v T, err error) T { c.say(call, v, err); return v }
}

// note logs an error that is to be the same everywhere.
func (c *every) note(call string, err error) { c.say(call, nil, err) }

func (c *every) relation(r *ops.Relation, remote kith.UnitName) error {
	own, app := c.model.Unit(), c.model.App()
	c.say("relation", r, nil)
	all := said[[]*ops.Relation](c, "relations")(c.model.Relations("link"))
	said[*ops.Relation](c, "relation")(c.model.GetRelation("link"))
	said[*ops.Relation](c, "relation by id")(c.model.GetRelationByID("link", all[0].ID))
	said[*ops.Relation](c, "relation of another life")(c.model.GetRelationByID("link", 77))
	said[kith.ModelUUID](c, "remote model")(r.RemoteModel())
	said[map[string]string](c, "remote app")(r.Data(r.App).All())
	if remote != "" {
		said[map[string]string](c, "remote unit")(r.Data(remote).All())
		said[map[string]string](c, "nobody")(r.Data(kith.UnitOf(r.App, 9)).All())
	}
	c.note("write theirs", r.Data(r.App).Set("a", "b"))
	c.note("write own", r.Data(own).Update(map[string]string{"quotes": `"a" 'b'`, "lines": "a\nb=c", "gone": "soon", "-dash": "--file"}))
	c.note("delete", r.Data(own).Delete("gone"))
	c.note("write app", r.Data(app).Set("from", "leader"))
	c.note("save", r.Save(own, struct {
		Port int    `databag:"port,text"`
		List []bool `databag:"list"`
	}{80, []bool{true}}))
	var loaded struct {
		Port int `databag:"port,text"`
	}
	err := r.Load(own, &loaded)
	c.say("load", loaded, err)
	said[map[string]string](c, "own")(r.Data(own).All())
	said[map[string]string](c, "own app")(r.Data(app).All())
	return nil
}

func (c *every) network(r *ops.Relation) error {
	said[*ops.Network](c, "network")(c.model.GetBinding("link").Network())
	said[*ops.Network](c, "network of the relation")(r.Binding().Network())
	said[*ops.Network](c, "network of nothing")(c.model.GetBinding("nothing").Network())
	return nil
}

func (c *every) unit() error {
	u, a := c.model.Unit(), c.model.App()
	said[bool](c, "leader")(u.IsLeader())
	said[bool](c, "dying")(u.IsDying())
	said[ops.Config](c, "config")(c.model.Config())
	var typed struct {
		X string
		N int `config:"count"`
	}
	err := c.model.LoadConfig(&typed)
	c.say("typed config", typed, err)
	c.note("status", u.SetStatus(ops.MaintenanceStatus("-- busy")))
	said[ops.Status](c, "status")(u.Status())
	c.note("app status", a.SetStatus(ops.BlockedStatus("-x")))
	status, err := a.Status()
	c.say("app status", status.Message, err)
	said[int](c, "planned")(a.PlannedUnits())
	c.note("version", u.SetWorkloadVersion("-1.0"))
	c.note("open", u.OpenPort(ops.TCP(80), "link"))
	c.note("open", u.OpenPort(ops.Port{Protocol: ops.ProtocolUDP, From: 1000, To: 1010}))
	c.note("open", u.OpenPort(ops.ICMP()))
	c.note("close", u.ClosePort(ops.ICMP()))
	said[[]ops.Port](c, "ports")(u.OpenedPorts())
	c.note("set", u.SetPorts(ops.TCP(443)))
	c.f.Logger().Warn("-- a warning\nof two lines")
	return nil
}

func (c *every) machine() error {
	spec, err := c.model.GetCloudSpec()
	c.say("cloud", spec.Name, err)
	path, err := c.model.Resource("software")
	content, missing := os.ReadFile(path)
	c.say("resource", filepath.Base(path)+" "+string(content), errors.Join(err, missing))
	_, err = c.model.Resource("nothing")
	c.note("no resource", err)
	for _, s := range said[[]*ops.Storage](c, "storages")(c.model.Storages("data")) {
		mark, err := os.ReadFile(filepath.Join(s.Location, "mark"))
		c.say("storage "+s.ID, s.Kind+" "+string(mark), err)
	}
	c.note("ask for storage", c.model.RequestStorage("data", 1))
	return nil
}

func (c *every) secrets(r *ops.Relation) error {
	_, err := c.model.GetSecret("secret:d2fjn1fmp25004or68b0")
	c.note("nobody's", err)
	theirs, err := r.Data(r.App).Get("secret")
	if theirs != "" {
		granted := said[*ops.Secret](c, "granted")(c.model.LabelSecret(theirs, "given"))
		said[map[string]string](c, "granted")(granted.Content())
	}
	if _, missing := c.model.GetSecretByLabel("main"); missing == nil || err != nil {
		return err // the second time it is there
	}
	s, err := c.model.App().AddSecret(map[string]string{"password": "a b\n-c", "user-name": "root"},
		ops.SecretSpec{Label: "main", Description: "-- the main one", Rotate: ops.RotateDaily, ExpireIn: 48 * time.Hour})
	if err != nil {
		return err
	}
	id := said[string](c, "secret")(s.ID())
	c.note("grant", s.Grant(r))
	c.note("content", s.SetContent(map[string]string{"password": "new"}))
	c.note("info", s.SetInfo(ops.SecretSpec{Description: "other"}))
	said[ops.SecretInfo](c, "info")(s.Info())
	byLabel := said[*ops.Secret](c, "by label")(c.model.GetSecretByLabel("main"))
	said[map[string]string](c, "content")(byLabel.Content())
	said[map[string]string](c, "peek")(byLabel.Peek())
	said[map[string]string](c, "refresh")(byLabel.Refresh())
	said[[]string](c, "ids")(c.model.SecretIDs())
	c.note("revoke", s.Revoke(r))
	c.note("grant a unit", s.GrantUnit(r, kith.UnitOf(r.App, 0)))
	own, err := c.model.Unit().AddSecret(map[string]string{"key": "value"}, ops.SecretSpec{})
	return errors.Join(err, own.RemoveAllRevisions(), r.Data(c.model.App()).Set("secret", id))
}

func (c *every) backup(e *ops.ActionEvent) error {
	said[map[string]any](c, "parameters")(e.Params())
	return errors.Join(e.Logf("-- backing up %d", 1), e.SetResults(map[string]any{"size": map[string]any{"mb": 3}, "note": "a=b\nc"}), e.Fail("-- no room"))
}
