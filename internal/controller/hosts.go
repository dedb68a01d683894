package controller

import (
	"context"
	"errors"
	"slices"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// Connect says that a host's agent lives, in the life named epoch, and begins its
// session: what it must hold now, then the session's events. An earlier
// session of the host ends. Errors: Unavailable if a model cannot be told.
func (c *Controller) Connect(ctx context.Context, host, epoch string) (*Session, api.HostUnits, error) {
	s := newSession(host, epoch)
	c.mu.Lock()
	old := c.sessions[host]
	c.sessions[host] = s
	delete(c.left, host)
	c.mu.Unlock()
	if old != nil {
		old.end(kith.Errorf(kith.Conflict, "another agent has connected for host %q", host).
			WithHint("two agents must not run on one host"))
	} else {
		c.opt.Metrics.connected(1)
	}
	var all api.HostUnits
	for _, m := range c.all() {
		units, wipe, err := m.connect(ctx, s)
		switch {
		case err == nil:
			all.Models = append(all.Models, m.ID)
			all.Units = append(all.Units, units...)
			all.Wipe = append(all.Wipe, wipe...)
		case m.Ended() != nil && kith.CodeOf(m.Ended()) == kith.NotFound:
			// Removed meanwhile.
		case m.Ended() != nil:
			all.Away = append(all.Away, m.ID)
		default:
			c.Disconnect(s)
			return nil, api.HostUnits{}, err
		}
	}
	c.mu.Lock()
	all.Away = append(all.Away, sortedKeys(c.foreign)...)
	c.mu.Unlock()
	slices.Sort(all.Away)
	return s, all, nil
}

// connect introduces a host to one model and lists the units it must hold there, and the
// storage it must wipe.
func (m *Model) connect(ctx context.Context, s *Session) (units []api.HostUnit, wipe []api.StorageRef, err error) {
	hello := core.HostHello{Host: s.Host, Epoch: s.Epoch}
	if _, err := m.Submit(ctx, core.Actor{Kind: core.ActorHost, Name: s.Host}, hello); err != nil {
		return nil, nil, err
	}
	err = m.do(ctx, func() {
		units = m.engine.Attach(s)
		wipe = m.engine.ToWipe(s.Host)
		m.engine.Offer()
	})
	return units, wipe, err
}

// Disconnect ends a session whose stream is gone. Its host's units keep what
// they run; their leases are not extended any more.
func (c *Controller) Disconnect(s *Session) {
	c.mu.Lock()
	current := c.sessions[s.Host] == s
	if current {
		delete(c.sessions, s.Host)
		c.left[s.Host] = c.opt.Clock.Now()
		c.opt.Metrics.connected(-1)
	}
	c.mu.Unlock()
	s.end(errors.New("disconnected"))
	for _, m := range c.all() {
		// A model that has ended needs no telling.
		_ = m.do(context.Background(), func() { m.engine.Detach(s) })
	}
}

// lostAfter is how long an agent may be away before its units are shown as lost:
// a reconnecting agent should not make the status flicker.
const lostAfter = 30 * time.Second

// away tells which hosts of a model have been without their agent for a while, and since when.
func (c *Controller) away(m *core.Model) map[string]time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, away := c.opt.Clock.Now(), make(map[string]time.Time)
	for u := range m.Units() {
		if _, seen := away[u.Host]; seen || c.sessions[u.Host] != nil {
			continue
		}
		since, left := c.left[u.Host]
		if !left {
			since = c.started
		}
		if now.Sub(since) >= lostAfter {
			away[u.Host] = since
		}
	}
	return away
}

// Hosts lists the connected hosts, sorted.
func (c *Controller) Hosts() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return sortedKeys(c.sessions)
}
