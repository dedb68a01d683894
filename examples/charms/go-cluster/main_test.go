package main

import (
	"fmt"
	"testing"

	"kith"
	"kith/ops/opstest"
)

// One unit, and peers that the test writes for.
func TestFollowsAndLeads(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newCharm)
	id := h.AddRelation(endpoint, "go-cluster") // a peer relation is always there
	h.BeginWithInitialHooks()
	if got := h.Status(); got.Name != kith.Waiting {
		t.Errorf("without a leader: %s", got)
	}
	if got := h.GetRelationData(id, "go-cluster/0")["unit-data"]; got != "hello from go-cluster/0" {
		t.Errorf("unit-data is %q", got)
	}
	h.UpdateRelationData(id, "go-cluster", map[string]string{"leader-address": "10.0.0.2"})
	if got := h.Status().String(); got != "active: follows 10.0.0.2" {
		t.Errorf("got %s", got)
	}
	h.SetLeader(true)
	own := h.GetRelationData(id, "go-cluster/0")["private-address"]
	if got := h.GetRelationData(id, "go-cluster")["leader-address"]; got != own {
		t.Errorf("the leader's address is %q, and not %q", got, own)
	}
	if got := h.Status().String(); got != "active: leads at "+own {
		t.Errorf("got %s", got)
	}
}

// Whatever happens, in the end everybody follows the one who leads.
func TestConverges(t *testing.T) {
	t.Parallel()
	cluster := opstest.NewCharm(newCharm)
	opstest.Explore(t, func(m *opstest.Model) error {
		m.Deploy("c", cluster, opstest.Units(3))
		m.Settle()
		m.RemoveUnit(m.Leader("c"))
		m.Settle()
		peers := m.Relation("c:" + endpoint)
		want := peers.Bag(string(m.Leader("c")))["private-address"]
		if got := peers.Bag("c")["leader-address"]; got != want {
			return fmt.Errorf("the address is %q, and %s leads at %q", got, m.Leader("c"), want)
		}
		return nil
	}, opstest.Runs(25))
}
