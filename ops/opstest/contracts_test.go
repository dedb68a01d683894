package opstest_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/ops"
	"kith/ops/opstest"
)

const greetContract = `
interface: greet
provider:
  app: {keys: {port: {required: true, encoding: json, schema: {type: integer, maximum: 65535}}}}
  unit: {keys: {name: {required: true, schema: {type: string, pattern: '^[a-z]+$'}}}}
requirer: {app: {keys: {who: {required: true, schema: {type: string, minLength: 2}}}}}
`

const greeterYAML = `
name: greeter
type: charm
summary: Greets.
description: Greets whoever asks.
base: ubuntu@24.04
platforms: {amd64: }
provides:
  greet: {interface: greet}
config: {options: {port: {type: string, default: "80"}}}
`

const guestYAML = `
name: guest
type: charm
summary: Is greeted.
description: Asks to be greeted.
base: ubuntu@24.04
platforms: {amd64: }
requires:
  greet: {interface: greet}
`

// newGreeter makes a charm that writes its option port as it is, and its name.
func newGreeter(f *ops.Framework) (*ops.Model, error) {
	m := f.Model()
	answer := func() error {
		all, err := m.Relations("greet")
		if err != nil {
			return err
		}
		for _, r := range all {
			if err := r.Data(m.Unit()).Set("name", "greeter"); err != nil {
				return err
			}
			config, err := m.Config()
			if err != nil {
				return err
			}
			if leads, err := m.Unit().IsLeader(); err != nil || !leads {
				return err
			}
			if err := r.Data(m.App()).Set("port", config["port"].(string)); err != nil {
				return err
			}
		}
		return nil
	}
	f.Observe(ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { return answer() }))
	f.Observe(ops.OnLeaderElected(func(*ops.LeaderElectedEvent) error { return answer() }))
	f.Observe(ops.OnRelationCreated("greet", func(*ops.RelationCreatedEvent) error { return answer() }))
	return m, nil
}

// newGuest makes a charm that asks to be greeted.
func newGuest(f *ops.Framework) (*ops.Model, error) {
	m := f.Model()
	f.Observe(ops.OnRelationCreated("greet", func(e *ops.RelationCreatedEvent) error {
		if leads, err := m.Unit().IsLeader(); err != nil || !leads {
			return err
		}
		return e.Relation.Data(m.App()).Set("who", "me")
	}))
	return m, nil
}

// contractFile writes a contract where a test can name it.
func contractFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "greet.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func greeter(t *testing.T, port string) *opstest.Harness {
	t.Helper()
	h := opstest.New(t, newGreeter, opstest.YAML(greeterYAML))
	h.AddContract(contractFile(t, greetContract))
	h.SetLeader(true)
	h.UpdateConfig(map[string]any{"port": port})
	h.Begin()
	return h
}

// Issue 5, item 4: "opstest checks contracts too": a charm that breaks one ends the test.
func TestHarnessContract(t *testing.T) {
	t.Parallel()
	h := greeter(t, "many")
	var broken *opstest.ContractError
	err := h.Try(func() { h.AddRelation("greet", "guest") })
	if !errors.As(err, &broken) || len(broken.Violations) != 1 {
		t.Fatal(err)
	}
	v := broken.Violations[0]
	if v.Unit != "greeter/0" || v.Hook != "greet-relation-created" || v.Owner != "greeter" || v.Endpoint != "greet" || v.Interface != "greet" || v.Key != "port" || v.Rule != "encoding" {
		t.Errorf("%+v", v)
	}
	if got, want := err.Error(), `greeter/0 greet-relation-created broke the contract of greet in the databag of greeter, relation 0: port: "many": it must be JSON`; !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	// What was written wrong before is not told again, and what is right is no violation.
	if err := h.Try(func() { h.UpdateConfig(map[string]any{"port": "8080"}) }); err != nil {
		t.Error(err)
	}
	if all := h.Violations(); len(all) != 1 || all[0] != v {
		t.Errorf("%v", all)
	}
}

// A violation can be asserted instead, and the other side's writes are looked at too.
func TestHarnessCollectsViolations(t *testing.T) {
	t.Parallel()
	h := greeter(t, "70000")
	h.CollectViolations()
	id := h.AddRelation("greet", "guest")
	h.AddRelationUnit(id, "guest/0")
	h.UpdateRelationData(id, "guest", map[string]string{"who": "x"})
	var got []string
	for _, v := range h.Violations() {
		got = append(got, string(v.Unit)+" "+v.Key+" "+v.Rule)
	}
	if want := []string{"greeter/0 port maximum", "guest/0 who minLength"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What the test writes wrong for the other side fails nothing: charms must stand it.
func TestHarnessStandInMayViolate(t *testing.T) {
	t.Parallel()
	h := greeter(t, "80")
	id := h.AddRelation("greet", "guest")
	h.UpdateRelationData(id, "guest", map[string]string{"who": "x"})
	if all := h.Violations(); len(all) != 1 || all[0].Owner != "guest" {
		t.Errorf("%v", all)
	}
}

// The contracts that come with kith apply without being asked for.
func TestHarnessShippedContract(t *testing.T) {
	t.Parallel()
	charm := func(f *ops.Framework) (*ops.Model, error) {
		m := f.Model()
		f.Observe(ops.OnRelationCreated("proxy", func(e *ops.RelationCreatedEvent) error {
			return e.Relation.Data(m.App()).Set("port", "808000")
		}))
		return m, nil
	}
	h := opstest.New(t, charm, opstest.YAML(strings.Replace(guestYAML, "greet: {interface: greet}", "proxy: {interface: ingress}", 1)))
	h.SetLeader(true)
	h.Begin()
	err := h.Try(func() { h.AddRelation("proxy", "traefik") })
	if err == nil || !strings.Contains(err.Error(), "broke the contract of ingress") {
		t.Error(err)
	}
}

// Contracts that cannot be used are refused.
func TestAddContractRefusals(t *testing.T) {
	t.Parallel()
	m := opstest.NewModel(t)
	for file, want := range map[string]string{
		filepath.Join(t.TempDir(), "none.yaml"):   "cannot read contract",
		contractFile(t, "interface: [x"):          "cannot use contract",
		contractFile(t, "interface: x\n"):         "says nothing about what any side writes",
		contractFile(t, "interface: x\ncolor: y"): "there is no such field",
	} {
		if err := m.Try(func() { m.AddContract(file) }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A model says what its relations wait for, by the contract.
func TestModelWaiting(t *testing.T) {
	t.Parallel()
	m := opstest.NewModel(t)
	m.AddContract(contractFile(t, greetContract))
	m.Deploy("greeter", opstest.NewCharm(newGreeter, opstest.YAML(greeterYAML)))
	m.Deploy("guest", opstest.NewCharm(func(f *ops.Framework) (*ops.Model, error) { return f.Model(), nil }, opstest.YAML(guestYAML)))
	rel := m.Integrate("greeter", "guest")
	m.Settle()
	if got := rel.Waiting(); !slices.Equal(got, []string{"waiting for requirer: who"}) {
		t.Errorf("%q", got)
	}
}

// "Explore treats a violation as a finding": whoever takes the lead once there is a relation
// writes what the contract does not allow. The body moves the lead, so that no chance is needed.
func TestExploreFindsViolation(t *testing.T) {
	t.Parallel()
	file := contractFile(t, greetContract)
	wrong := func(f *ops.Framework) (*ops.Model, error) {
		m := f.Model()
		f.Observe(ops.OnLeaderElected(func(*ops.LeaderElectedEvent) error {
			all, err := m.Relations("greet")
			if err != nil || len(all) == 0 {
				return err
			}
			return all[0].Data(m.App()).Set("port", string(m.Unit().Name()))
		}))
		return m, nil
	}
	greeter := opstest.NewCharm(wrong, opstest.YAML(greeterYAML))
	guest := opstest.NewCharm(newGuest, opstest.YAML(guestYAML))
	run := func(collect bool) string {
		f := &recorder{}
		f.run(func() {
			opstest.Explore(f, func(m *opstest.Model) error {
				m.AddContract(file)
				if collect {
					m.CollectViolations()
				}
				m.Deploy("greeter", greeter, opstest.Units(2))
				m.Settle()
				m.Deploy("guest", guest)
				m.Integrate("greeter", "guest")
				m.Settle()
				for _, u := range []kith.UnitName{"greeter/0", "greeter/1"} {
					if m.Leader("greeter") != u {
						m.Elect(u)
						break
					}
				}
				m.Settle()
				return nil
			}, opstest.SaveIn(t.TempDir()), opstest.Runs(5))
		})
		return f.fatal
	}
	if got := run(false); !strings.Contains(got, "broke the contract of greet in the databag of greeter") || !strings.Contains(got, "made small, this is what happens") {
		t.Errorf("got %q", got)
	}
	if got := run(true); got != "" {
		t.Errorf("got %q", got)
	}
}
