package opstest_test

import (
	"errors"
	"fmt"

	"kith/ops"
	"kith/ops/opstest"
)

// web uses a database and has peers: the charm most tests are about.
const webYAML = `
name: web
type: charm
summary: for tests
description: for tests
base: ubuntu@24.04
platforms: {amd64: }
requires:
  db: {interface: pgsql}
  logs: {interface: loki}
peers:
  cluster: {interface: web-cluster}
config:
  options:
    port: {type: int, default: 8080}
    mode: {type: string}
actions:
  backup:
    params:
      to: {type: string}
    required: [to]
`

type web struct {
	model *ops.Model
	seen  []string
	kept  struct{ Count int }
}

var errMode = errors.New("mode is broken")

func newWeb(f *ops.Framework) (*web, error) {
	c := &web{model: f.Model()}
	if err := f.StoredState("web", &c.kept); err != nil {
		return nil, err
	}
	note := func(e interface{ Name() string }) error {
		c.seen = append(c.seen, e.Name())
		c.kept.Count++
		return nil
	}
	f.Observe(
		ops.OnStart(func(e *ops.StartEvent) error { return note(e) }),
		ops.OnConfigChanged(func(e *ops.ConfigChangedEvent) error {
			config, err := c.model.Config()
			if err == nil && config["mode"] == "broken" {
				err = errMode
			}
			return errors.Join(err, note(e))
		}),
		ops.OnRelationChanged("db", c.dbChanged),
		ops.OnAction("backup", func(e *ops.ActionEvent) error {
			params, err := e.Params()
			if err != nil {
				return err
			}
			if params["to"] == "nowhere" {
				return e.Fail("there is no nowhere")
			}
			return errors.Join(e.Logf("copying"), e.SetResults(map[string]any{"size": 42}))
		}),
		ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error {
			e.AddStatus(ops.ActiveStatus(fmt.Sprintf("%d events", c.kept.Count)))
			return nil
		}),
	)
	return c, nil
}

// dbChanged answers in the own bag.
func (c *web) dbChanged(e *ops.RelationChangedEvent) error {
	if e.Unit == "" {
		return nil
	}
	host, err := e.Relation.Data(e.Unit).Get("host")
	if err != nil || host == "" {
		return err
	}
	return e.Relation.Data(c.model.Unit()).Set("uses", host)
}

func newHarness(t opstest.TB) *opstest.Harness {
	return opstest.New(t, newWeb, opstest.YAML(webYAML))
}
