package opstest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kith/ops"
	"kith/ops/opstest"
)

// An action's parameters are checked, and what it sets and says is in the result.
func ExampleHarness_RunAction() {
	t := example{"TestBackup"}
	h := opstest.New(t, newWeb, opstest.YAML(webYAML))
	h.Begin()
	r := h.RunAction("backup", map[string]any{"to": "tape"})
	fmt.Println(r.Status, r.Results, r.Log)
	fmt.Println(h.Try(func() { h.RunAction("backup", map[string]any{"to": 3}) }) != nil)
	// Output:
	// completed map[size:42] [copying]
	// true
}

// A storage is a real folder: the test may look at what the charm has put there.
func ExampleHarness_AddStorage() {
	t := example{"TestData"}
	h := opstest.New(t, newStore, opstest.YAML(storeYAML))
	h.BeginWithInitialHooks()
	id := h.AddStorage("data", 1)[0]
	owner, _ := os.ReadFile(filepath.Join(h.StorageDir(id), "owner"))
	fmt.Println(id, string(owner))
	h.RemoveStorage(id)
	fmt.Print(h.EventNames())
	os.RemoveAll(filepath.Join(h.StorageDir("data/0"), "../../..")) // a *testing.T cleans up by itself
	// Output:
	// data/1 store/0
	// data-storage-attached
	// install
	// leader-settings-changed
	// config-changed
	// start
	// data-storage-attached
	// data-storage-detaching
}

// Time is the test's: what becomes due runs.
func ExampleHarness_Advance() {
	t := example{"TestRotation"}
	h := opstest.New(t, newKeeper, opstest.YAML(keeperYAML))
	h.SetLeader(true)
	h.BeginWithInitialHooks()
	secret := h.Secrets()[0]
	fmt.Println(h.SecretContent(secret)["pin"])
	h.Advance(25 * time.Hour)
	fmt.Println(h.SecretContent(secret)["pin"])
	// Output:
	// 1
	// 2
}

// A hook that fails leaves nothing written, and stays in error until it is retried.
func ExampleHarness_Retry() {
	t := example{"TestRetry"}
	broken := true
	h := opstest.New(t, func(f *ops.Framework) (struct{}, error) {
		f.Observe(ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error {
			if broken {
				return fmt.Errorf("no disk")
			}
			return f.Model().Unit().SetStatus(ops.ActiveStatus("configured"))
		}))
		return struct{}{}, nil
	}, opstest.YAML(shopYAML))
	fmt.Println(h.Try(h.BeginWithInitialHooks))
	fmt.Println(h.Status())
	broken = false
	h.Retry()
	fmt.Println(h.Status())
	// Output:
	// shop/0 config-changed failed: no disk
	// error: hook failed: "config-changed"
	// active: configured
}

// History is the record kith keeps: who wrote what, in which hook, and why that ran.
func ExampleModel_History() {
	t := example{"TestHistory"}
	m := opstest.NewModel(t)
	m.Deploy("web", opstest.NewCharm(newWeb, opstest.YAML(webYAML)))
	m.Deploy("pg", opstest.NewCharm(newPG, opstest.YAML(pgYAML)))
	rel := m.Integrate("web:db", "pg")
	m.Settle()
	for _, e := range m.History() {
		for _, b := range e.Bags {
			if b.Relation == rel.ID() && b.Set["uses"] != "" {
				fmt.Printf("%s wrote uses=%s into the databag of %s, in %s\n", e.Actor, b.Set["uses"], b.Owner, e.Hook)
			}
		}
	}
	// Output:
	// unit web/0 wrote uses=db1 into the databag of web/0, in web/0 db-relation-changed
}
