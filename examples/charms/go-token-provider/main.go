// Command go-token-provider is a charm in Go that handles each event by itself: see
// README.md. Its other side, go-token-requirer, does the same by reconciling.
package main

import (
	"crypto/rand"
	"fmt"

	"kith/ops"
)

func main() { ops.Main(newCharm, ops.Resident()) }

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

func newCharm(f *ops.Framework) (*charm, error) {
	c := &charm{model: f.Model()}
	if err := f.StoredState("charm", &c.kept); err != nil {
		return nil, err
	}
	if err := c.model.LoadConfig(&c.config); err != nil {
		return nil, err
	}
	f.Observe(
		ops.OnInstall(c.install),
		ops.OnStart(c.start),
		ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { return c.offerAll() }),
		// The application's fields are ours from now on: our uuid replaces the old leader's.
		ops.OnLeaderElected(func(*ops.LeaderElectedEvent) error { return c.offerAll() }),
		ops.OnRelationCreated(endpoint, func(e *ops.RelationCreatedEvent) error { return c.offer(e.Relation) }),
		ops.OnRelationJoined(endpoint, c.joined),
		ops.OnRelationChanged(endpoint, c.changed),
		ops.OnRelationDeparted(endpoint, c.departed),
		ops.OnRelationBroken(endpoint, c.broken),
	)
	return c, nil
}

func (c *charm) install(e *ops.InstallEvent) error {
	c.kept.Token = newUUID()
	e.Logger().Info("my token is " + c.kept.Token)
	return nil
}

func (c *charm) start(*ops.StartEvent) error {
	relations, err := c.model.Relations(endpoint)
	if err != nil || len(relations) > 0 {
		return err
	}
	return c.model.Unit().SetStatus(ops.WaitingStatus("nobody to exchange tokens with"))
}

// offer writes what is ours to write: every unit its token, the leader also the two
// fields of the application.
func (c *charm) offer(r *ops.Relation) error {
	if err := r.Data(c.model.Unit()).Set("token", c.kept.Token); err != nil {
		return err
	}
	if leads, err := c.model.Unit().IsLeader(); err != nil || !leads {
		return err
	}
	return r.Data(c.model.App()).Update(map[string]string{
		"leader-uuid":   c.kept.Token,
		"special-field": c.config.SpecialField,
	})
}

// offerAll writes into every relation.
func (c *charm) offerAll() error {
	relations, err := c.model.Relations(endpoint)
	if err != nil {
		return err
	}
	for _, r := range relations {
		if err := c.offer(r); err != nil {
			return err
		}
	}
	return nil
}

func (c *charm) joined(e *ops.RelationJoinedEvent) error {
	e.Logger().Info("met " + string(e.Unit))
	return nil
}

// changed tells the two kinds of change apart: without a unit it is the application's data.
func (c *charm) changed(e *ops.RelationChangedEvent) error {
	if e.Unit != "" {
		token, err := e.Relation.Data(e.Unit).Get("token")
		if err != nil {
			return err
		}
		e.Logger().Info(fmt.Sprintf("%s has token %s", e.Unit, token))
		return c.report(e.Relation)
	}
	fields, err := e.Relation.Data(e.App).All()
	if err != nil {
		return err
	}
	e.Logger().Info(fmt.Sprintf("%s has leader-uuid %s, special-field %s", e.App, fields["leader-uuid"], fields["special-field"]))
	return c.report(e.Relation)
}

func (c *charm) departed(e *ops.RelationDepartedEvent) error {
	e.Logger().Info(fmt.Sprintf("%s leaves, because %s departs", e.Unit, e.DepartingUnit))
	return c.report(e.Relation)
}

func (c *charm) broken(*ops.RelationBrokenEvent) error {
	return c.model.Unit().SetStatus(ops.WaitingStatus("nobody to exchange tokens with"))
}

// report sets the status to what the other side has written so far.
func (c *charm) report(r *ops.Relation) error {
	tokens := 0
	for _, unit := range r.Units {
		token, err := r.Data(unit).Get("token")
		if err != nil {
			return err
		}
		if token != "" {
			tokens++
		}
	}
	field, err := r.Data(r.App).Get("special-field")
	if err != nil {
		return err
	}
	return c.model.Unit().SetStatus(ops.ActiveStatus(fmt.Sprintf("%s: %d token(s), special-field %s", r.App, tokens, field)))
}

// newUUID is a chance name in the usual 8-4-4-4-12 form.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
