package main

import (
	"fmt"
	"strings"
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

// Peers come, say something, and go; the lead goes to one of them.
func TestPeersComeAndGo(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newCharm)
	id := h.AddRelation(endpoint, "go-cluster")
	h.SetLeader(true)
	h.BeginWithInitialHooks()
	h.AddRelationUnit(id, "go-cluster/1")
	h.HooksDisabled(func() {
		h.UpdateRelationData(id, "go-cluster/1", map[string]string{"unit-data": "unheard"})
	})
	h.SetLeader(false) // somebody else leads, and writes for the application
	h.UpdateRelationData(id, "go-cluster", map[string]string{"leader-address": "10.0.0.2"})
	if got := h.Status().String(); got != "active: follows 10.0.0.2" {
		t.Errorf("got %s", got)
	}
	h.RemoveRelationUnit(id, "go-cluster/1")
	var log strings.Builder
	for _, l := range h.Log() {
		fmt.Fprintln(&log, l.Message)
	}
	if got, want := log.String(), `leading now
replicas:0: go-cluster/1 says: 
replicas:0: now following the leader at 10.0.0.2
leading now
replicas:0: go-cluster/1 has left
`; got != want {
		t.Errorf("it logged\n%s, want\n%s", got, want)
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
