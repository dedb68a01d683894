package ops_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kith"
	"kith/internal/core"
	"kith/ops"
)

// What an action cannot do it says, and does not fail as a hook would: results stay, and the operator
// reads the message.
func ExampleActionEvent_Fail() {
	dispatch("backup", func(f *ops.Framework) error {
		f.Observe(ops.OnAction("backup", func(e *ops.ActionEvent) error {
			var params struct {
				To int `json:"to"` // in fact it is text
			}
			if err := e.LoadParams(&params); err != nil {
				return e.Fail("to has to be a number")
			}
			return e.SetResults(map[string]any{"to": params.To})
		}))
		return nil
	})
	// Output:
	// failed to has to be a number null
}

// serverConfig is the configuration of a charm, which says itself what it can be.
type serverConfig struct {
	Port     int
	LogLevel string `config:"log-level"`
}

// Validate refuses what no server can use.
func (c *serverConfig) Validate() error {
	if c.LogLevel == "" {
		return errors.New("set log-level")
	}
	return nil
}

// Bad configuration blocks the unit until somebody changes it.
func ExampleModel_LoadConfig() {
	dispatch("config-changed", func(f *ops.Framework) error {
		f.Observe(ops.OnConfigChanged(func(e *ops.ConfigChangedEvent) error {
			var c serverConfig
			if err := e.Model().LoadConfig(&c); err != nil {
				return ops.StatusError(ops.BlockedStatus(err.Error()))
			}
			return nil
		}))
		return nil
	})
	// Output:
	// unit blocked: set log-level
}

// Messages have attributes, and go to the log of the unit.
func ExampleFramework_Logger() {
	dispatch("start", func(f *ops.Framework) error {
		log := f.Logger().With("port", 8080)
		log.Info("listening")
		log.Warn("no certificate", "path", "/etc/my server")
		return nil
	})
	// Output:
	// INFO listening port=8080
	// WARNING no certificate port=8080 path="/etc/my server"
}

// Only the leader is asked for the status of the application.
func ExampleOnCollectAppStatus() {
	dispatch("update-status", func(f *ops.Framework) error {
		m := f.Model()
		f.Observe(ops.OnCollectAppStatus(func(e *ops.CollectStatusEvent) error {
			n, err := m.App().PlannedUnits()
			if err != nil {
				return err
			}
			if n < 3 {
				e.AddStatus(ops.BlockedStatus(fmt.Sprintf("3 units are a quorum, and there are to be %d", n)))
			}
			return nil
		}))
		return nil
	})
	// Output:
	// app blocked: 3 units are a quorum, and there are to be 2
}

// A status that is set shows at once, while the handler goes on.
func ExampleUnit_SetStatus() {
	dispatch("install", func(f *ops.Framework) error {
		f.Observe(ops.OnInstall(func(e *ops.InstallEvent) error {
			return e.Model().Unit().SetStatus(ops.MaintenanceStatus("fetching the workload"))
		}))
		return nil
	})
	// Output:
	// unit maintenance: fetching the workload
}

// A unit that leaves tells its peers apart from itself.
func ExampleOnRelationDeparted() {
	dispatchAs("db-relation-departed", func(f *ops.Framework) error {
		f.Observe(ops.OnRelationDeparted("db", func(e *ops.RelationDepartedEvent) error {
			if e.DepartingUnit == e.Model().Unit().Name() {
				fmt.Println("this unit goes")
				return nil
			}
			ready, err := e.Relation.Data(e.Unit).Get("ready") // it can still be read
			fmt.Println(e.Unit, "has gone; it was ready:", ready, "and left are", e.Relation.Units)
			return err
		}))
		return nil
	}, func(_ *world, h *core.Hook) { h.Relation.Departing = "pg/0" })
	// Output:
	// pg/0 has gone; it was ready: yes and left are [pg/1]
}

// A relation breaks for a unit that goes, and for all when the relation goes: only in the second case is there
// something to clean up that others still use.
func ExampleUnit_IsDying() {
	dispatchAs("db-relation-broken", func(f *ops.Framework) error {
		f.Observe(ops.OnRelationBroken("db", func(e *ops.RelationBrokenEvent) error {
			dying, err := e.Model().Unit().IsDying()
			if err != nil || dying {
				return err
			}
			fmt.Println("dropping the user of", e.App, "- the relation is active:", e.Relation.Active)
			return nil
		}))
		return nil
	}, func(w *world, h *core.Hook) {
		h.Relation.RemoteUnit, w.context.Relations[2].Members = "", nil
	})
	// Output:
	// dropping the user of pg - the relation is active: false
}

// An owner is asked for new content when it is due.
func ExampleOnSecretRotate() {
	dispatchAs("secret-rotate", func(f *ops.Framework) error {
		f.Observe(ops.OnSecretRotate(func(e *ops.SecretRotateEvent) error {
			return e.Secret.SetContent(map[string]string{"password": "another"})
		}))
		return nil
	}, func(w *world, h *core.Hook) {
		h.Secret = &core.SecretHook{ID: mine, Label: "my-label"}
		w.after = func() { fmt.Println(w.effects.Secrets[0].ID, "has new content") }
	})
	// Output:
	// mine0000000000000000 has new content
}

// A reader stays with the content it has seen until it takes the newest.
func ExampleSecret_Refresh() {
	dispatchAs("secret-changed", func(f *ops.Framework) error {
		f.Observe(ops.OnSecretChanged(func(e *ops.SecretChangedEvent) error {
			before, err := e.Secret.Content()
			if err != nil {
				return err
			}
			after, err := e.Secret.Refresh()
			fmt.Println("from", before["password"], "to", after["password"])
			return err
		}))
		return nil
	}, func(_ *world, h *core.Hook) { h.Secret = &core.SecretHook{ID: theirs} })
	// Output:
	// from theirs-1 to theirs-2
}

// What the other side of a relation is to connect to may differ from relation to relation.
func ExampleRelation_Binding() {
	dispatch("db-relation-joined", func(f *ops.Framework) error {
		f.Observe(ops.OnRelationJoined("db", func(e *ops.RelationJoinedEvent) error {
			n, err := e.Relation.Binding().Network()
			if err != nil {
				return err
			}
			return e.Relation.Data(e.Model().Unit()).Set("address", string(n.IngressAddress()))
		}))
		return nil
	})
	// Output:
	// relation:4 address=127.0.1.1
}

// Backend is for what the Model has no method for.
func ExampleFramework_Backend() {
	dispatch("start", func(f *ops.Framework) error {
		return f.Backend().Log("TRACE", "a level that slog has no name for")
	})
	// Output:
	// TRACE a level that slog has no name for
}

// empty answers what the charm of the next example asks.
type empty struct{ ops.Backend }

func (empty) ConfigGet() (map[string]any, error) { return map[string]any{"port": int64(80)}, nil }

// Run gives one event to a charm without a process or a host around it.
func ExampleRun() {
	meta, err := ops.ParseCharmMeta(map[string][]byte{"charmcraft.yaml": []byte("name: web\n")})
	if err != nil {
		fmt.Println(err)
		return
	}
	d := ops.Dispatch{
		Env:  ops.Env{DispatchPath: "hooks/config-changed", Unit: "web/0"},
		Meta: meta, Backend: empty{},
	}
	charm, err := ops.Run(context.Background(), d, func(f *ops.Framework) (*strings.Builder, error) {
		b := &strings.Builder{}
		f.Observe(ops.OnConfigChanged(func(e *ops.ConfigChangedEvent) error {
			c, err := e.Model().Config()
			fmt.Fprint(b, "port ", c["port"])
			return err
		}))
		return b, nil
	})
	fmt.Println(charm, err)
	// Output:
	// port 80 <nil>
}

// A charm may keep its state in a file of its own folder.
func ExampleWithLocalState() {
	newCharm := func(f *ops.Framework) (*kith.UnitName, error) {
		leader := new(kith.UnitName)
		return leader, f.StoredState("leader", leader)
	}
	ops.Main(newCharm, ops.WithLocalState(".state.json"))
}
