package opstest_test

import (
	"errors"
	"fmt"
	"log"

	"kith"
	"kith/ops"
	"kith/ops/opstest"
)

// example stands for the *testing.T of a test.
type example struct{ name string }

func (example) Helper()                           {}
func (example) Cleanup(func())                    {}
func (example) Logf(string, ...any)               {}
func (e example) Name() string                    { return e.name }
func (example) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }

const shopYAML = `
name: shop
type: charm
summary: A shop.
description: A shop that needs a database.
base: ubuntu@24.04
platforms: {amd64: }
requires:
  db: {interface: pgsql, limit: 1}
`

// newShop is the function that the charm gives to ops.Main.
func newShop(f *ops.Framework) (*ops.Model, error) {
	m := f.Model()
	f.Observe(ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error {
		db, err := m.GetRelation("db")
		if err != nil {
			return err
		}
		if db == nil {
			e.AddStatus(ops.BlockedStatus("needs a database"))
			return nil
		}
		endpoint, err := db.Data(db.App).Get("endpoint")
		if err != nil {
			return err
		}
		if endpoint == "" {
			e.AddStatus(ops.WaitingStatus("for " + string(db.App)))
			return nil
		}
		e.AddStatus(ops.ActiveStatus("uses " + endpoint))
		return nil
	}))
	return m, nil
}

func ExampleHarness() {
	t := example{"TestShop"}
	h := opstest.New(t, newShop, opstest.YAML(shopYAML)) // without YAML: the folder of the test

	h.SetLeader(true)
	h.BeginWithInitialHooks()
	fmt.Println(h.Status())

	id := h.AddRelation("db", "postgresql")
	fmt.Println(h.Status())

	h.AddRelationUnit(id, "postgresql/0")
	h.UpdateRelationData(id, "postgresql", map[string]string{"endpoint": "10.0.0.1:5432"})
	fmt.Println(h.Status())

	fmt.Print(h.EventNames())
	// Output:
	// blocked: needs a database
	// waiting: for postgresql
	// active: uses 10.0.0.1:5432
	// install
	// leader-elected
	// config-changed
	// start
	// db-relation-created app=postgresql
	// db-relation-joined unit=postgresql/0
	// db-relation-changed unit=postgresql/0
	// db-relation-changed app=postgresql
}

func ExampleHarness_Try() {
	t := example{"TestShop"}
	h := opstest.New(t, newShop, opstest.YAML(shopYAML))
	h.Begin()
	h.AddRelation("db", "postgresql")
	err := h.Try(func() { h.AddRelation("db", "mysql") })
	fmt.Println(err)

	var refused *kith.Error
	fmt.Println(errors.As(err, &refused))
	// Output:
	// cannot add relation "shop:db mysql:db": establishing a new relation for shop:db would exceed its maximum relation limit of 1
	// true
}

func ExampleModel() {
	t := example{"TestPair"}
	m := opstest.NewModel(t)
	m.Deploy("web", opstest.NewCharm(newWeb, opstest.YAML(webYAML)))
	m.Deploy("pg", opstest.NewCharm(newPG, opstest.YAML(pgYAML)), opstest.Units(2))
	rel := m.Integrate("web:db", "pg")
	m.Settle()
	fmt.Println(rel.Bag("web/0")["uses"], rel.Bag("pg")["leader"])

	m.Elect("pg/1")
	m.Settle()
	fmt.Println(rel.Bag("pg")["leader"])
	// Output:
	// db1 pg/0
	// pg/1
}

func ExampleExplore() {
	t := example{"TestPairExplored"}
	web := opstest.NewCharm(newWeb, opstest.YAML(webYAML))
	pg := opstest.NewCharm(newPG, opstest.YAML(pgYAML))

	opstest.Explore(t, func(m *opstest.Model) error {
		m.Deploy("web", web)
		m.Deploy("pg", pg, opstest.Units(2))
		rel := m.Integrate("web:db", "pg")
		m.Invariant("no more than one host", func() error {
			if uses := rel.Bag("web/0")["uses"]; uses != "" && uses != "db1" {
				return fmt.Errorf("web/0 uses %q", uses)
			}
			return nil
		})
		m.Settle()
		if got, want := rel.Bag("pg")["leader"], string(m.Leader("pg")); got != want {
			return fmt.Errorf("the data says %q leads, and %q does", got, want)
		}
		return nil
	}, opstest.Runs(10))
	fmt.Println("holds")
	// Output: holds
}
