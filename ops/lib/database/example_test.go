package database_test

import (
	"fmt"
	"log"

	"kith/ops"
	"kith/ops/lib/database"
	"kith/ops/opstest"
)

// example stands for the *testing.T of a test.
type example struct{ name string }

func (example) Helper()                           {}
func (example) Cleanup(func())                    {}
func (example) Logf(string, ...any)               {}
func (e example) Name() string                    { return e.name }
func (example) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }

// newShop is a client: it hears of its database, and asks how that is reached for its status.
// In a charm: func main() { ops.Main(newShop) }
func newShop(f *ops.Framework) (*database.Requirer, error) {
	db, err := database.NewRequirer(f, "db", database.Request{Database: "shop"})
	if err != nil {
		return nil, err
	}
	f.Observe(
		db.OnCreated(func(e *database.CreatedEvent) error {
			e.Logger().Info(fmt.Sprint("connect to ", e.Connection))
			return nil
		}),
		db.OnChanged(func(e *database.ChangedEvent) error {
			e.Logger().Info(fmt.Sprint("now connect to ", e.Connection))
			return nil
		}),
		db.OnRemoved(func(e *database.RemovedEvent) error {
			e.Logger().Info("the database is gone")
			return nil
		}),
		ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error {
			c, err := db.Connection()
			switch {
			case err != nil:
				return err
			case c == nil:
				e.AddStatus(ops.WaitingStatus("no database yet"))
			default:
				e.AddStatus(ops.ActiveStatus("uses " + c.Database))
			}
			return nil
		}),
	)
	return db, nil
}

// newPostgres is a provider that answers all that is asked for, whatever the event was.
func newPostgres(f *ops.Framework) (*database.Provider, error) {
	db := database.NewProvider(f, "db")
	f.Observe(ops.OnReconcile(func(e *ops.ReconcileEvent) error {
		if leads, err := e.Model().Unit().IsLeader(); err != nil || !leads {
			return err
		}
		config, err := e.Model().Config()
		if err != nil {
			return err
		}
		requests, err := db.Requests()
		if err != nil {
			return err
		}
		for _, r := range requests {
			answer := database.Connection{Database: r.Database, Endpoints: []string{fmt.Sprint(config["endpoint"])}, Username: "u", Password: "p"}
			if err := db.Publish(r.Relation, answer); err != nil {
				return err
			}
		}
		return nil
	}))
	return db, nil
}

const exampleYAML = `
name: %s
type: charm
summary: an example
description: an example
base: ubuntu@24.04
platforms: {amd64: }
%s:
  db: {interface: postgresql_client}
config:
  options:
    endpoint: {type: string, default: "10.0.0.1:5432"}
`

// exampleModel has both, integrated.
func exampleModel() (*opstest.Model, opstest.Relation) {
	m := opstest.NewModel(example{"example"})
	m.Deploy("shop", opstest.NewCharm(newShop, opstest.YAML(fmt.Sprintf(exampleYAML, "shop", "requires"))))
	m.Deploy("postgres", opstest.NewCharm(newPostgres, opstest.YAML(fmt.Sprintf(exampleYAML, "postgres", "provides"))))
	m.Settle()
	fmt.Println(m.UnitStatus("shop/0"))
	rel := m.Integrate("shop", "postgres")
	m.Settle()
	return m, rel
}

// A client is told when its database is there, when it has changed and when it is gone.
func ExampleRequirer() {
	m, _ := exampleModel()
	fmt.Println(m.UnitStatus("shop/0"))
	m.SetConfig("postgres", map[string]any{"endpoint": "10.0.0.2:5432"})
	m.Settle()
	m.RemoveRelation("shop", "postgres")
	m.Settle()
	for _, l := range m.Log() {
		fmt.Println(l)
	}
	// Output:
	// waiting: no database yet
	// active: uses shop
	// shop/0 INFO db:0: connect to u@10.0.0.1:5432/shop
	// shop/0 INFO db:0: now connect to u@10.0.0.2:5432/shop
	// shop/0 INFO db:0: the database is gone
}

// A provider answers the requests of all its clients; their credentials are secrets.
func ExampleProvider() {
	_, rel := exampleModel()
	fmt.Println("asked for", rel.Bag("shop")["database"])
	answer := rel.Bag("postgres")
	fmt.Println("answered", answer["database"], answer["endpoints"], answer["password"] == "", answer["secret-user"] != "")
	// Output:
	// waiting: no database yet
	// asked for shop
	// answered shop 10.0.0.1:5432 true true
}
