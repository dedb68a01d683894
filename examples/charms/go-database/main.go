// Command go-database is a charm in Go that provides a database: see README.md.
package main

import (
	"crypto/rand"
	"fmt"

	"kith/ops"
	"kith/ops/lib/database"
)

func main() { ops.Main(newCharm) }

const endpoint = "database"

// charm is made anew for each event.
type charm struct {
	model    *ops.Model
	database *database.Provider
	config   struct{ Port int }
}

func newCharm(f *ops.Framework) (*charm, error) {
	c := &charm{model: f.Model(), database: database.NewProvider(f, endpoint)}
	if err := c.model.LoadConfig(&c.config); err != nil {
		return nil, err
	}
	f.Observe(
		c.database.OnReleased(func(e *database.ReleasedEvent) error {
			// Here a real database would drop the user.
			e.Logger().Info(fmt.Sprintf("dropping user %s of %s", user(e.Relation), e.Client))
			return nil
		}),
		ops.OnReconcile(c.reconcile),
		ops.OnAction("users", c.users),
		ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error {
			e.AddStatus(ops.ActiveStatus(fmt.Sprintf("ready on port %d", c.config.Port)))
			return nil
		}),
	)
	return c, nil
}

// reconcile opens the port, and on the leader answers every client. An answer that is
// right already is not written again; the password, once given, stays.
func (c *charm) reconcile(e *ops.ReconcileEvent) error {
	if err := c.model.Unit().SetPorts(ops.TCP(c.config.Port)); err != nil {
		return err
	}
	if leads, err := c.model.Unit().IsLeader(); err != nil || !leads {
		return err
	}
	requests, err := c.database.Requests()
	if err != nil {
		return err
	}
	for _, r := range requests {
		if err := c.answer(e, r); err != nil {
			return err
		}
	}
	return nil
}

func (c *charm) answer(e *ops.ReconcileEvent, r database.ClientRequest) error {
	network, err := r.Relation.Binding().Network()
	if err != nil {
		return err
	}
	answer := database.Connection{
		Database: r.Database, Username: user(r.Relation), Version: "16",
		Endpoints: []string{fmt.Sprintf("%s:%d", network.IngressAddress(), c.config.Port)},
	}
	before, err := c.database.Published(r.Relation)
	switch {
	case err != nil:
		return err
	case before != nil:
		answer.Password = before.Password
	default:
		answer.Password = newPassword()
		e.Logger().Info(fmt.Sprintf("%s has database %s", r.Client, r.Database))
	}
	return c.database.Publish(r.Relation, answer)
}

// users is the action.
func (c *charm) users(e *ops.ActionEvent) error {
	requests, err := c.database.Requests()
	if err != nil {
		return err
	}
	results := map[string]any{}
	for _, r := range requests {
		results[string(r.Client)] = user(r.Relation)
	}
	return e.SetResults(results)
}

func user(r *ops.Relation) string { return "relation-" + r.ID.String() }

func newPassword() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x", b)
}
