// Command go-token-requirer is a charm in Go that reconciles: whatever happens, it
// looks at its relations and does what is left to do. See README.md.
package main

import (
	"crypto/rand"
	"fmt"

	"kith/ops"
)

func main() { ops.Main(newCharm) }

// endpoint is the only one this charm has.
const endpoint = "token"

// charm is made anew for each event.
type charm struct {
	model  *ops.Model
	config struct{ SpecialField string }
	// kept is what the unit remembers.
	kept struct {
		Token string `json:"token"`
	}
}

// unitData is what each unit publishes, and appData what each leader does.
type (
	unitData struct {
		Token string `databag:"token,text"`
	}
	appData struct {
		LeaderUUID   string `databag:"leader-uuid,text"`
		SpecialField string `databag:"special-field,text"`
	}
)

func newCharm(f *ops.Framework) (*charm, error) {
	c := &charm{model: f.Model()}
	if err := f.StoredState("charm", &c.kept); err != nil {
		return nil, err
	}
	if err := c.model.LoadConfig(&c.config); err != nil {
		return nil, err
	}
	if c.kept.Token == "" {
		c.kept.Token = newUUID()
	}
	f.Observe(
		ops.OnReconcile(c.reconcile),
		ops.OnCollectUnitStatus(c.status),
	)
	return c, nil
}

// reconcile writes what is ours to write into every relation. What is there already
// is not sent again.
func (c *charm) reconcile(e *ops.ReconcileEvent) error {
	relations, err := c.model.Relations(endpoint)
	if err != nil {
		return err
	}
	leads, err := c.model.Unit().IsLeader()
	if err != nil {
		return err
	}
	for _, r := range relations {
		if err := r.Save(c.model.Unit(), unitData{Token: c.kept.Token}); err != nil {
			return err
		}
		if !leads {
			continue
		}
		if err := r.Save(c.model.App(), appData{c.kept.Token, c.config.SpecialField}); err != nil {
			return err
		}
	}
	return nil
}

// status says what the other side has written so far.
func (c *charm) status(e *ops.CollectStatusEvent) error {
	relations, err := c.model.Relations(endpoint)
	if err != nil {
		return err
	}
	if len(relations) == 0 {
		e.AddStatus(ops.WaitingStatus("nobody to exchange tokens with"))
	}
	for _, r := range relations {
		tokens := 0
		for _, unit := range r.Units {
			var theirs unitData
			if err := r.Load(unit, &theirs); err != nil {
				return err
			}
			if theirs.Token != "" {
				tokens++
			}
		}
		var theirs appData
		if err := r.Load(r.App, &theirs); err != nil {
			return err
		}
		e.AddStatus(ops.ActiveStatus(fmt.Sprintf("%s: %d token(s), special-field %s", r.App, tokens, theirs.SpecialField)))
	}
	return nil
}

// newUUID is a chance name in the usual 8-4-4-4-12 form.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
