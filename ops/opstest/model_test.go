package opstest_test

import (
	"strings"
	"testing"
	"time"

	"kith"
	"kith/ops"
	"kith/ops/opstest"
)

const pgYAML = `
name: pg
type: charm
summary: for tests
description: for tests
base: ubuntu@24.04
platforms: {amd64: }
provides:
  server: {interface: pgsql}
config:
  options:
    host: {type: string, default: db1}
`

// pg tells its clients where it is.
type pg struct{ model *ops.Model }

func newPG(f *ops.Framework) (*pg, error) {
	c := &pg{f.Model()}
	f.Observe(
		ops.OnReconcile(func(*ops.ReconcileEvent) error {
			config, err := c.model.Config()
			if err != nil {
				return err
			}
			relations, err := c.model.Relations("server")
			if err != nil {
				return err
			}
			leads, err := c.model.Unit().IsLeader()
			if err != nil {
				return err
			}
			for _, r := range relations {
				if err := r.Data(c.model.Unit()).Set("host", config["host"].(string)); err != nil {
					return err
				}
				if !leads {
					continue
				}
				if err := r.Data(c.model.App()).Set("leader", string(c.model.Unit().Name())); err != nil {
					return err
				}
			}
			return nil
		}),
		ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error {
			e.AddStatus(ops.ActiveStatus(""))
			return nil
		}),
	)
	return c, nil
}

func newPair(t opstest.TB) *opstest.Model {
	m := opstest.NewModel(t)
	m.Deploy("web", opstest.NewCharm(newWeb, opstest.YAML(webYAML)))
	m.Deploy("pg", opstest.NewCharm(newPG, opstest.YAML(pgYAML)), opstest.Units(2), opstest.Config(map[string]any{"host": "db7"}))
	return m
}

func TestModel(t *testing.T) {
	t.Parallel()
	m := newPair(t)
	m.Settle()
	expect(t, "status", m.Status(), "pg/0 leader active\npg/1 active\nweb/0 leader active: 2 events\n")
	m.Events()
	rel := m.Integrate("web:db", "pg")
	m.Settle()
	expect(t, "events", m.EventNames(), `pg/0 server-relation-created app=web
pg/1 server-relation-created app=web
web/0 db-relation-created app=pg
web/0 db-relation-changed app=pg
web/0 db-relation-joined unit=pg/0
web/0 db-relation-changed unit=pg/0
web/0 db-relation-joined unit=pg/1
web/0 db-relation-changed unit=pg/1
pg/0 server-relation-joined unit=web/0
pg/0 server-relation-changed unit=web/0
pg/1 server-relation-joined unit=web/0
pg/1 server-relation-changed unit=web/0
`)
	if got := rel.Bag("web/0")["uses"]; got != "db7" {
		t.Errorf("uses %q", got)
	}
	if got := m.Relation("pg", "web").Bag("pg")["leader"]; got != "pg/0" {
		t.Errorf("leader %q", got)
	}
	m.SetConfig("pg", map[string]any{"host": "db8"})
	m.Elect("pg/1")
	m.Settle()
	if got := rel.Bag("web/0")["uses"] + " " + rel.Bag("pg")["leader"]; got != "db8 pg/1" {
		t.Errorf("got %q", got)
	}
	var last opstest.HistoryEntry
	for _, e := range m.History() {
		if len(e.Bags) > 0 && e.Bags[0].Set["uses"] == "db8" {
			last = e
		}
	}
	if last.Hook != "web/0 db-relation-changed" || last.Actor != "unit web/0" || last.Cause == 0 {
		t.Errorf("history has %+v", last)
	}
	if r := m.Run("web/0", "backup", map[string]any{"to": "tape"}); r.Status != "completed" {
		t.Errorf("got %+v", r)
	}
	m.LoseUnit("pg/0")
	m.RemoveRelation("web", "pg")
	m.Settle()
	m.RemoveApplication("pg")
	m.Settle()
	if rel.Exists() || len(m.Units("pg")) != 0 || m.UnitStatus("pg/1").Name != kith.Terminated {
		t.Errorf("left: %s", m.Status())
	}
}

// Hook protocol reference, section 8: a failed hook runs again after 5 seconds.
func TestModelRetries(t *testing.T) {
	t.Parallel()
	m := newPair(t)
	m.Settle()
	m.SetConfig("web", map[string]any{"mode": "broken"})
	if err := m.Try(m.Settle); err == nil || !strings.Contains(err.Error(), "web/0 config-changed failed: mode is broken") {
		t.Fatalf("got %v", err)
	}
	expect(t, "status", m.UnitStatus("web/0").String(), `error: hook failed: "config-changed"`)
	m.SetConfig("web", nil, "mode")
	m.Events()
	m.Advance(6 * time.Second)
	expect(t, "events", m.EventNames(), "web/0 config-changed\nweb/0 config-changed\n")
}

func TestModelRefusals(t *testing.T) {
	t.Parallel()
	m := newPair(t)
	for name, f := range map[string]func(){
		"a second application of the name": func() { m.Deploy("web", opstest.NewCharm(newPG, opstest.YAML(pgYAML))) },
		"a relation without a pair":        func() { m.Integrate("web:logs", "pg") },
		"a relation that is not there":     func() { m.Relation("web", "pg") },
		"an option that is not there":      func() { m.SetConfig("web", map[string]any{"x": 1}) },
		"a unit that is not there":         func() { m.Elect("web/9") },
		"a charm without metadata":         func() { m.Deploy("x", opstest.NewCharm(newPG, opstest.Dir("no-such"))) },
	} {
		if err := m.Try(f); kith.CodeOf(err) == kith.Internal {
			t.Errorf("%s: %v", name, err)
		}
	}
}
