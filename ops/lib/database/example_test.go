package database_test

import (
	"fmt"

	"kith/ops"
	"kith/ops/lib/database"
)

// A client hears of its database, and asks how it is reached for its status.
func ExampleRequirer() {
	newCharm := func(f *ops.Framework) (*database.Requirer, error) {
		db, err := database.NewRequirer(f, "database", database.Request{Database: "shop"})
		if err != nil {
			return nil, err
		}
		f.Observe(
			db.OnCreated(func(e *database.CreatedEvent) error {
				e.Logger().Info(fmt.Sprint("connect to ", e.Connection))
				return nil
			}),
			ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error {
				c, err := db.Connection()
				if err == nil && c == nil {
					e.AddStatus(ops.WaitingStatus("no database yet"))
				}
				return err
			}),
		)
		return db, nil
	}
	ops.Main(newCharm)
}

// A provider answers all that is asked for, whatever the event was.
func ExampleProvider() {
	newCharm := func(f *ops.Framework) (*database.Provider, error) {
		db := database.NewProvider(f, "database")
		f.Observe(ops.OnReconcile(func(e *ops.ReconcileEvent) error {
			if leads, err := e.Model().Unit().IsLeader(); err != nil || !leads {
				return err
			}
			requests, err := db.Requests()
			if err != nil {
				return err
			}
			for _, r := range requests {
				answer := database.Connection{Database: r.Database, Endpoints: []string{"10.0.0.1:5432"}, Username: "u", Password: "p"}
				if err := db.Publish(r.Relation, answer); err != nil {
					return err
				}
			}
			return nil
		}))
		return db, nil
	}
	ops.Main(newCharm)
}
