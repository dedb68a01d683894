package ops_test

import (
	"errors"
	"fmt"
	"strings"

	"kith"
	"kith/internal/core"
	"kith/ops"
)

// Resource has the file of the charm's resource.
func (w *world) Resource(c core.ResourceContext) (string, error) {
	if c.Name != "image" {
		return "", core.NoResource("web", c.Name)
	}
	return "/var/lib/resources/image/" + c.Filename, nil
}

// withStorage is dispatch with a storage, data/0, and what to tell of it.
func withStorage(event string, setup func(*ops.Framework) error) {
	data := core.StorageHook{ID: "data/0", Kind: "filesystem", Location: "/srv/data/0"}
	dispatchAs(event, setup, func(w *world, h *core.Hook) {
		w.context.Storage = []core.StorageContext{{StorageHook: data}}
		if _, attached := strings.CutSuffix(event, "-storage-attached"); attached {
			h.Kind, h.Storage = core.StorageAttached, &data
		}
	})
}

// A charm that looks at everything and does what is left to do, whatever the event was,
// needs no other handler.
func ExampleOnReconcile() {
	dispatch("config-changed", func(f *ops.Framework) error {
		m := f.Model()
		f.Observe(ops.OnReconcile(func(e *ops.ReconcileEvent) error {
			relations, err := m.Relations("db")
			if err != nil {
				return err
			}
			for _, r := range relations {
				if err := r.Data(m.Unit()).Set("host", "web-0.example"); err != nil {
					return err
				}
			}
			return nil
		}))
		return nil
	})
	// Output:
	// relation:4 host=web-0.example
}

// A charm that may stay says so in its main function, and nowhere else.
func ExampleResident() {
	newCharm := func(f *ops.Framework) (*ops.Model, error) { return f.Model(), nil }
	ops.Main(newCharm, ops.Resident())
}

// The most severe status wins, wherever it was added.
func ExampleOnCollectUnitStatus() {
	dispatch("update-status", func(f *ops.Framework) error {
		f.Observe(
			ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error {
				e.AddStatus(ops.ActiveStatus("serving"))
				return nil
			}),
			ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error {
				e.AddStatus(ops.WaitingStatus("waiting for a certificate"))
				return nil
			}),
		)
		return nil
	})
	// Output:
	// unit waiting: waiting for a certificate
}

// A relation can be kept by its number. One that is gone is still a relation: it is not active,
// and its data is empty.
func ExampleModel_GetRelationByID() {
	dispatch("config-changed", func(f *ops.Framework) error {
		for _, id := range []kith.RelationID{4, 77} {
			r, err := f.Model().GetRelationByID("db", id)
			if err != nil {
				return err
			}
			fmt.Println(r, r.Active, r.Units)
		}
		return nil
	})
	// Output:
	// db:4 true [pg/0 pg/1]
	// db:77 false []
}

// What a charm may not do is an error that says what was tried, and is known by its kind.
func ExampleRelationDataAccessError() {
	dispatch("config-changed", func(f *ops.Framework) error {
		db, err := f.Model().GetRelation("db")
		if err != nil {
			return err
		}
		err = db.Data(kith.UnitName("pg/0")).Set("password", "guessed")
		var denied *ops.RelationDataAccessError
		if errors.As(err, &denied) {
			fmt.Println(denied.Op, denied.Owner, denied.Reason)
		}
		fmt.Println(errors.Is(err, ops.ErrPermission))
		return nil
	})
	// Output:
	// write pg/0 it belongs to others
	// true
}

// A struct says by its tags which key is for which field. Values are JSON, or text.
func ExampleRelation_Load() {
	dispatch("config-changed", func(f *ops.Framework) error {
		db, err := f.Model().GetRelation("db")
		if err != nil {
			return err
		}
		var server struct {
			Version int `databag:"version,text"`
		}
		if err := db.Load(db.App, &server); err != nil {
			return err
		}
		fmt.Println("version", server.Version)
		return nil
	})
	// Output:
	// version 14
}

// Only the leader writes for its application.
func ExampleUnit_IsLeader() {
	dispatch("config-changed", func(f *ops.Framework) error {
		m := f.Model()
		leads, err := m.Unit().IsLeader()
		if err != nil || !leads {
			return err
		}
		cluster, err := m.GetRelation("cluster")
		if err != nil {
			return err
		}
		return cluster.Data(m.App()).Set("leader", string(m.Unit().Name()))
	})
	// Output:
	// relation:1 leader=web/0
}

// SetPorts closes what is not named.
func ExampleUnit_SetPorts() {
	dispatch("config-changed", func(f *ops.Framework) error {
		u := f.Model().Unit()
		if err := u.SetPorts(ops.TCP(80), ops.TCP(443)); err != nil {
			return err
		}
		if err := u.SetPorts(ops.TCP(443)); err != nil {
			return err
		}
		open, err := u.OpenedPorts()
		fmt.Println(open)
		return err
	})
	// Output:
	// [443/tcp]
}

func ExampleOnStorageAttached() {
	withStorage("data-storage-attached", func(f *ops.Framework) error {
		f.Observe(ops.OnStorageAttached("data", func(e *ops.StorageAttachedEvent) error {
			fmt.Println(e.Storage.ID, "is at", e.Storage.Location)
			return nil
		}))
		return nil
	})
	// Output:
	// data/0 is at /srv/data/0
}

func ExampleModel_Storages() {
	withStorage("start", func(f *ops.Framework) error {
		all, err := f.Model().Storages("data")
		for _, s := range all {
			fmt.Println(s.ID, s.Kind, s.Location)
		}
		return err
	})
	// Output:
	// data/0 filesystem /srv/data/0
}

func ExampleModel_Resource() {
	dispatchAs("install", func(f *ops.Framework) error {
		path, err := f.Model().Resource("image")
		if err != nil {
			return err
		}
		fmt.Println("unpacking", path)
		return nil
	}, func(w *world, _ *core.Hook) {
		w.context.Resources = []core.ResourceContext{{Name: "image", Filename: "image.tgz"}}
	})
	// Output:
	// unpacking /var/lib/resources/image/image.tgz
}

// What a secret holds is not in the databag, only its id is.
func ExampleModel_GetSecret() {
	dispatch("config-changed", func(f *ops.Framework) error {
		secret, err := f.Model().GetSecret("secret:" + string(theirs))
		if err != nil {
			return err
		}
		content, err := secret.Content()
		if err != nil {
			return err
		}
		newest, err := secret.Peek() // what Refresh would make current
		fmt.Println(content["password"], newest["password"])
		return err
	})
	// Output:
	// theirs-1 theirs-2
}
