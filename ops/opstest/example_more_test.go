package opstest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"kith/ops"
	"kith/ops/opstest"
)

// The test writes for anybody, and reads what anybody has written.
func ExampleHarness_UpdateRelationData() {
	t := example{"TestData"}
	h := opstest.New(t, newWeb, opstest.YAML(webYAML))
	id := h.AddRelation("db", "pg", opstest.UnitData(map[string]string{"host": "db1"}))
	h.BeginWithInitialHooks()
	fmt.Println(h.GetRelationData(id, "web/0")["uses"])

	h.UpdateRelationData(id, "pg/0", map[string]string{"host": "db2"})
	fmt.Println(h.GetRelationData(id, "web/0")["uses"])
	fmt.Println(h.RelationUnits(id))
	// Output:
	// db1
	// db2
	// [pg/0 web/0]
}

// A relation goes as under Juju: each unit departs, and then it is broken.
func ExampleHarness_RemoveRelation() {
	t := example{"TestRemoval"}
	h := opstest.New(t, newShop, opstest.YAML(shopYAML))
	h.Begin()
	id := h.AddRelation("db", "postgresql")
	h.AddRelationUnit(id, "postgresql/0")
	h.AddRelationUnit(id, "postgresql/1")
	h.Events() // forget them
	h.RemoveRelationUnit(id, "postgresql/1")
	h.RemoveRelation(id)
	fmt.Print(h.EventNames())
	fmt.Println(h.Status())
	// Output:
	// db-relation-departed unit=postgresql/1 departing=postgresql/1
	// db-relation-departed unit=postgresql/0 departing=postgresql/0
	// db-relation-broken app=postgresql
	// blocked: needs a database
}

// Leadership comes once for each time the unit takes it, and goes only to somebody.
func ExampleHarness_SetLeader() {
	t := example{"TestLead"}
	h := opstest.New(t, newShop, opstest.YAML(shopYAML))
	h.Begin()
	h.SetLeader(true)
	h.SetLeader(true)
	fmt.Println(h.IsLeader())
	h.SetLeader(false)
	fmt.Println(h.IsLeader())
	fmt.Print(h.EventNames())
	// Output:
	// true
	// false
	// leader-elected
	// leader-settings-changed
}

// Options have the types of the charm's metadata. What changes nothing is no event.
func ExampleHarness_UpdateConfig() {
	t := example{"TestConfig"}
	h := opstest.New(t, newWeb, opstest.YAML(webYAML))
	h.Begin()
	h.UpdateConfig(map[string]any{"port": 80})
	h.UpdateConfig(map[string]any{"port": 80})
	h.UpdateConfig(nil, "port") // back to its default
	fmt.Print(h.EventNames())
	fmt.Println(h.Try(func() { h.UpdateConfig(map[string]any{"port": "none"}) }))
	// Output:
	// config-changed
	// config-changed
	// option "port" expected int, got "none"
}

// While hooks are disabled the model goes on, and the charm is not told.
func ExampleHarness_HooksDisabled() {
	t := example{"TestQuiet"}
	h := opstest.New(t, newShop, opstest.YAML(shopYAML))
	h.Begin()
	h.HooksDisabled(func() {
		id := h.AddRelation("db", "postgresql")
		h.AddRelationUnit(id, "postgresql/0")
	})
	fmt.Printf("%q\n", h.EventNames())
	h.UpdateStatus()
	fmt.Println(h.Status())
	// Output:
	// ""
	// waiting: for postgresql
}

// A secret of the model's user is read by the charm that it is granted to.
func ExampleHarness_GrantSecret() {
	t := example{"TestSecret"}
	h := opstest.New(t, newKeeper, opstest.YAML(keeperYAML))
	h.SetLeader(true)
	h.BeginWithInitialHooks()
	id := h.AddUserSecret("api-key", map[string]string{"value": "abc"})
	h.GrantSecret(id)
	h.UpdateConfig(map[string]any{"key": id})
	fmt.Println(h.Status())
	h.SetSecretContent(id, map[string]string{"value": "xyz"}) // secret-changed
	fmt.Println(h.Status())
	// Output:
	// active: key abc
	// active: key xyz
}

// The charm's value is made anew for each event: the test may look at the last one.
func ExampleCharmOf() {
	t := example{"TestValue"}
	h := opstest.New(t, newWeb, opstest.YAML(webYAML))
	h.BeginWithInitialHooks()
	fmt.Println(opstest.CharmOf[*web](h).seen)
	// Output: [start]
}

// tidy is a test that cleans up when it ends.
type tidy struct {
	example
	cleanups []func()
}

func (t *tidy) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

func (t *tidy) end() {
	for _, f := range t.cleanups {
		f()
	}
}

// A charm in any language runs as processes, with the hook tools on its PATH.
func ExampleFolder() {
	t := &tidy{example: example{"TestScripts"}}
	defer t.end()
	dir, _ := os.MkdirTemp("", "charm-")
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{
		"metadata.yaml": "name: scripts\nsummary: s\ndescription: d\nprovides: {web: {interface: http}}\n",
		"manifest.yaml": "bases: [{name: ubuntu, channel: '24.04', architectures: [amd64]}]\n",
		"hooks/start":   "#!/bin/sh\nstatus-set active \"$JUJU_UNIT_NAME runs\"\n",
	} {
		_ = os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)
		_ = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755)
	}
	m := opstest.NewModel(t)
	m.Deploy("scripts", opstest.Folder(dir), opstest.Units(2))
	m.Settle()
	fmt.Print(m.Status())
	// Output:
	// scripts/0 leader active: scripts/0 runs
	// scripts/1 active: scripts/1 runs
}

// What fails is tried again when its time has come. A unit that is lost is seen to depart.
func ExampleModel_Settle() {
	t := example{"TestTrouble"}
	m := opstest.NewModel(t)
	m.Deploy("web", opstest.NewCharm(newWeb, opstest.YAML(webYAML)))
	m.Deploy("pg", opstest.NewCharm(newPG, opstest.YAML(pgYAML)), opstest.Units(2))
	m.Integrate("web:db", "pg")
	m.Settle()
	m.Events()

	m.SetConfig("web", map[string]any{"mode": "broken"})
	fmt.Println(m.Try(m.Settle))
	m.SetConfig("web", nil, "mode")
	m.Retry("web/0")
	m.LoseUnit("pg/1")
	m.Settle()
	fmt.Print(m.EventNames())
	// Output:
	// web/0 config-changed failed: mode is broken
	// web/0 config-changed -> failed: mode is broken
	// web/0 config-changed
	// web/0 config-changed
	// web/0 db-relation-departed unit=pg/1 departing=pg/1
}

// telling is a test that tells how it ends, in the lines that matter.
type telling struct{ example }

func (telling) Fatalf(format string, args ...any) {
	for line := range strings.Lines(fmt.Sprintf(format, args...)) {
		if _, why, ok := strings.Cut(line, " fails: "); ok {
			fmt.Print(why)
		} else if strings.Contains(line, "  -- ") {
			fmt.Println(strings.TrimSpace(line))
		}
	}
}

// A leader that opens a port, and does not close it when another one leads, is found out. What is left of the
// schedule is one move of the lead; a file keeps it, and is replayed from then on.
func ExampleExplore_finding() {
	t := telling{example{"TestPort"}}
	dir, _ := os.MkdirTemp("", "explore-")
	defer os.RemoveAll(dir)
	shop := opstest.NewCharm(func(f *ops.Framework) (struct{}, error) {
		f.Observe(ops.OnLeaderElected(func(*ops.LeaderElectedEvent) error {
			return f.Model().Unit().OpenPort(ops.TCP(80))
		}))
		return struct{}{}, nil
	}, opstest.YAML(shopYAML))

	opstest.Explore(t, func(m *opstest.Model) error {
		m.Deploy("shop", shop, opstest.Units(2))
		m.Settle()
		if len(m.OpenedPorts("shop/0")) > 0 && len(m.OpenedPorts("shop/1")) > 0 {
			return fmt.Errorf("both units listen")
		}
		return nil
	}, opstest.SaveIn(dir), opstest.Calm("crash", "fail", "slow"))
	// Output:
	// both units listen
	// -- shop/1 takes the lead
}
