package ops_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kith"
	"kith/internal/core"
	"kith/internal/hooktool"
	"kith/ops"
)

// dispatch gives an event to a charm and prints what came of it: log, statuses and what
// was written. The unit is web/0, the leader; relation db:4 is to pg, whose units are
// pg/0 and pg/1.
func dispatch(event string, setup func(*ops.Framework) error) {
	dispatchAs(event, setup, func(*world, *core.Hook) {})
}

// dispatchAs is dispatch, in a world that is prepared for it.
func dispatchAs(event string, setup func(*ops.Framework) error, prepare func(*world, *core.Hook)) {
	hook, w := core.Hook{Kind: core.HookKind(event)}, newWorld()
	if kind, ok := strings.CutPrefix(event, "db-"); ok {
		hook = about(core.HookKind(kind), "pg/0", "")
	}
	if event == "backup" {
		hook, w.params = backup, map[string]any{"to": "/srv"}
	}
	prepare(w, &hook)
	defer w.after()
	err := w.dispatch(hook, func(f *ops.Framework) (struct{}, error) { return struct{}{}, setup(f) })
	for _, line := range slices.Concat(w.log, w.said, w.statuses) {
		fmt.Println(line)
	}
	for _, b := range w.effects.Bags {
		for _, k := range slices.Sorted(maps.Keys(b.Set)) {
			fmt.Printf("%s:%d %s=%s\n", "relation", b.Relation, k, b.Set[k])
		}
	}
	if event == "backup" {
		o := w.last.Outcome(hooktool.Ending{})
		values, _ := json.Marshal(o.Values) // of strings
		fmt.Println(o.Status, o.Message, string(values))
	}
	for _, k := range slices.Sorted(maps.Keys(w.state)) {
		fmt.Println("stored", k, w.state[k])
	}
	if err != nil {
		fmt.Println("the hook fails:", err)
	}
}

// A charm is made by a function, which registers its handlers.
func Example() {
	newCharm := func(f *ops.Framework) error {
		model := f.Model()
		f.Observe(
			ops.OnInstall(func(e *ops.InstallEvent) error {
				e.Logger().Info("fetching the workload")
				return nil
			}),
			ops.OnReconcile(func(e *ops.ReconcileEvent) error {
				db, err := model.GetRelation("db")
				if err != nil || db == nil {
					return err
				}
				return db.Data(model.Unit()).Set("ready", "yes")
			}),
			ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error {
				e.AddStatus(ops.ActiveStatus("ready"))
				return nil
			}),
		)
		return nil
	}
	dispatch("install", newCharm) // in a charm: func main() { ops.Main(newCharm) }
	// Output:
	// INFO fetching the workload
	// unit active: ready
	// relation:4 ready=yes
}

// Without a unit it is the application's data that has changed.
func ExampleOnRelationChanged() {
	dispatch("db-relation-changed", func(f *ops.Framework) error {
		f.Observe(ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error {
			if e.Unit == "" {
				return nil
			}
			ready, err := e.Relation.Data(e.Unit).Get("ready")
			if err != nil {
				return err
			}
			version, err := e.Relation.Data(e.App).Get("version")
			fmt.Printf("%s ready=%s, version %s\n", e.Unit, ready, version)
			return err
		}))
		return nil
	})
	// Output:
	// pg/0 ready=yes, version 14
}

func ExampleModel_GetRelation() {
	dispatch("config-changed", func(f *ops.Framework) error {
		db, err := f.Model().GetRelation("db")
		if err != nil {
			return err
		}
		fmt.Println(db, db.App, db.Units, db.Active)

		_, err = f.Model().GetRelation("logs") // there are two
		var many *ops.TooManyRelatedAppsError
		fmt.Println(errors.As(err, &many), many.NumRelated)

		logs, err := f.Model().Relations("logs")
		fmt.Println(logs)
		return err
	})
	// Output:
	// db:4 pg [pg/0 pg/1] true
	// true 2
	// [logs:2 logs:10]
}

// Every unit writes its own data, and the leader its application's.
func ExampleRelationData() {
	dispatch("config-changed", func(f *ops.Framework) error {
		m := f.Model()
		db, err := m.GetRelation("db")
		if err != nil {
			return err
		}
		if err := db.Data(m.Unit()).Set("hostname", "web-0.example"); err != nil {
			return err
		}
		if err := db.Data(m.App()).Update(map[string]string{"database": "shop", "roles": "admin"}); err != nil {
			return err
		}
		err = db.Data(db.App).Set("version", "15") // theirs
		fmt.Println(errors.Is(err, ops.ErrPermission), err)
		return nil
	})
	// Output:
	// true cannot write the data of "pg" in relation db:4: it belongs to others
	// relation:4 hostname=web-0.example
	// relation:4 database=shop
	// relation:4 roles=admin
}

func ExampleRelation_Save() {
	type request struct {
		Database string   `databag:"database,text"`
		Secrets  []string `databag:"requested-secrets"`
	}
	type answer struct {
		Version int `databag:"version,text"`
	}
	dispatch("config-changed", func(f *ops.Framework) error {
		db, err := f.Model().GetRelation("db")
		if err != nil {
			return err
		}
		var theirs answer
		if err := db.Load(db.App, &theirs); err != nil {
			return err
		}
		fmt.Println("version", theirs.Version)
		return db.Save(f.Model().App(), request{"shop", []string{"password"}})
	})
	// Output:
	// version 14
	// relation:4 database=shop
	// relation:4 requested-secrets=["password"]
}

func ExampleFramework_StoredState() {
	var kept struct {
		Installed bool `json:"installed"`
	}
	dispatch("install", func(f *ops.Framework) error {
		f.Observe(ops.OnInstall(func(*ops.InstallEvent) error {
			kept.Installed = true
			return nil
		}))
		return f.StoredState("charm", &kept)
	})
	// Output:
	// stored charm {"installed":true}
}

// What cannot go on without somebody's help says so, and does not fail.
func ExampleStatusError() {
	dispatch("config-changed", func(f *ops.Framework) error {
		f.Observe(ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error {
			return ops.StatusError(ops.BlockedStatus("set log-level"))
		}))
		return nil
	})
	// Output:
	// unit blocked: set log-level
}

func ExampleConfig_Load() {
	dispatch("config-changed", func(f *ops.Framework) error {
		c := struct {
			Port     int
			LogLevel string // the option log-level, which has no value
		}{LogLevel: "info"}
		err := f.Model().LoadConfig(&c)
		fmt.Printf("%+v\n", c)
		return err
	})
	// Output:
	// {Port:8080 LogLevel:info}
}

func ExampleOnAction() {
	dispatch("backup", func(f *ops.Framework) error {
		f.Observe(ops.OnAction("backup", func(e *ops.ActionEvent) error {
			var params struct {
				To string `json:"to"`
			}
			if err := e.LoadParams(&params); err != nil {
				return err
			}
			if err := e.Logf("writing to %s", params.To); err != nil {
				return err
			}
			return e.SetResults(map[string]any{"file": map[string]any{"name": params.To + "/dump", "size": 12}})
		}))
		return nil
	})
	// Output:
	// writing to /srv
	// completed  {"file":{"name":"/srv/dump","size":"12"}}
}

// Only an observer with a name can defer: the name is what the event finds it by.
func ExampleDeferrableEvent_Defer() {
	ready := func() bool { return false }
	dispatch("config-changed", func(f *ops.Framework) error {
		f.Observe(ops.OnConfigChanged(func(e *ops.ConfigChangedEvent) error {
			if !ready() {
				return e.Defer()
			}
			return nil
		}).Named("configure"))
		return nil
	})
	// Output:
	// stored #notices# [{"event":"hooks/config-changed","observer":"configure","snapshot":{}}]
}

// GreetedEvent is an event of a library.
type GreetedEvent struct {
	ops.CustomEvent
	By kith.UnitName
}

// Greeter is a library: made in the charm's function, told the endpoint's name.
type Greeter struct {
	greeted *ops.Source[GreetedEvent, *GreetedEvent]
}

// NewGreeter makes the library.
func NewGreeter(f *ops.Framework, endpoint kith.EndpointName) *Greeter {
	g := &Greeter{ops.NewSource[GreetedEvent](f, "greeter/"+string(endpoint)+"/greeted")}
	f.Observe(ops.OnRelationChanged(endpoint, func(e *ops.RelationChangedEvent) error {
		return g.greeted.Emit(GreetedEvent{By: e.Unit})
	}))
	return g
}

// OnGreeted observes that somebody has.
func (g *Greeter) OnGreeted(handle func(*GreetedEvent) error) ops.Observation {
	return g.greeted.On(handle)
}

func ExampleSource() {
	dispatch("db-relation-changed", func(f *ops.Framework) error {
		f.Observe(NewGreeter(f, "db").OnGreeted(func(e *GreetedEvent) error {
			fmt.Println(e.Name(), "by", e.By)
			return nil
		}))
		return nil
	})
	// Output:
	// greeter/db/greeted by pg/0
}

func ExampleBinding_Network() {
	dispatch("config-changed", func(f *ops.Framework) error {
		n, err := f.Model().GetBinding("db").Network()
		if err != nil {
			return err
		}
		fmt.Println("listen on", n.BindAddress(), "and publish", n.IngressAddress())
		return nil
	})
	// Output:
	// listen on 127.0.1.1 and publish 127.0.1.1
}

func ExampleApplication_AddSecret() {
	dispatch("config-changed", func(f *ops.Framework) error {
		m := f.Model()
		db, err := m.GetRelation("db")
		if err != nil {
			return err
		}
		secret, err := m.App().AddSecret(map[string]string{"password": "sesame"}, ops.SecretSpec{Label: "for-pg", Rotate: ops.RotateMonthly})
		if err != nil {
			return err
		}
		if err := secret.Grant(db); err != nil {
			return err
		}
		id, err := secret.ID()
		if err != nil {
			return err
		}
		return db.Data(m.App()).Set("secret-user", id)
	})
	// Output:
	// relation:4 secret-user=secret:new00000000000000001
}
