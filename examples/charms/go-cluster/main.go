// Command go-cluster is a charm in Go with a peer relation: see README.md.
package main

import (
	"fmt"

	"kith/ops"
)

func main() { ops.Main(newCharm, ops.Resident()) }

// endpoint is the peer relation. It is there from the start and to the end.
const endpoint = "replicas"

// charm is made anew for each event.
type charm struct {
	model *ops.Model
	// kept is a copy of the leader's address: it bridges the time between two leaders.
	kept struct {
		LeaderAddress string `json:"leader-address"`
	}
}

func newCharm(f *ops.Framework) (*charm, error) {
	c := &charm{model: f.Model()}
	if err := f.StoredState("charm", &c.kept); err != nil {
		return nil, err
	}
	f.Observe(
		ops.OnRelationCreated(endpoint, c.created),
		ops.OnRelationJoined(endpoint, c.joined),
		ops.OnRelationChanged(endpoint, c.changed),
		ops.OnRelationDeparted(endpoint, c.departed),
		ops.OnLeaderElected(c.elected),
		ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { return c.lead() }), // the address may be new
		ops.OnCollectUnitStatus(c.status),
	)
	return c, nil
}

func (c *charm) created(e *ops.RelationCreatedEvent) error {
	return e.Relation.Data(c.model.Unit()).Set("unit-data", "hello from "+string(c.model.Unit().Name()))
}

func (c *charm) joined(e *ops.RelationJoinedEvent) error {
	text, err := e.Relation.Data(e.Unit).Get("unit-data")
	if err != nil {
		return err
	}
	e.Logger().Info(fmt.Sprintf("%s says: %s", e.Unit, text))
	return nil
}

func (c *charm) elected(e *ops.LeaderElectedEvent) error {
	e.Logger().Info("leading now")
	return c.lead()
}

// lead publishes where the leader is. On other units it does nothing.
func (c *charm) lead() error {
	leads, err := c.model.Unit().IsLeader()
	if err != nil || !leads {
		return err
	}
	r, err := c.model.GetRelation(endpoint)
	if err != nil || r == nil {
		return err
	}
	network, err := r.Binding().Network()
	if err != nil {
		return err
	}
	c.kept.LeaderAddress = string(network.BindAddress())
	return r.Data(c.model.App()).Set("leader-address", c.kept.LeaderAddress)
}

// changed follows the leader: every unit may read the application's data here.
func (c *charm) changed(e *ops.RelationChangedEvent) error {
	address, err := e.Relation.Data(c.model.App()).Get("leader-address")
	if err != nil || address == "" || address == c.kept.LeaderAddress {
		return err
	}
	e.Logger().Info("now following the leader at " + address)
	c.kept.LeaderAddress = address
	return nil
}

func (c *charm) departed(e *ops.RelationDepartedEvent) error {
	if e.DepartingUnit == c.model.Unit().Name() {
		return nil // we are the one who goes
	}
	e.Logger().Info(string(e.Unit) + " has left")
	return nil
}

func (c *charm) status(e *ops.CollectStatusEvent) error {
	leads, err := c.model.Unit().IsLeader()
	switch {
	case err != nil:
		return err
	case c.kept.LeaderAddress == "":
		e.AddStatus(ops.WaitingStatus("no leader has published an address yet"))
	case leads:
		e.AddStatus(ops.ActiveStatus("leads at " + c.kept.LeaderAddress))
	default:
		e.AddStatus(ops.ActiveStatus("follows " + c.kept.LeaderAddress))
	}
	return nil
}
