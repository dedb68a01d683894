package sim

import (
	"encoding/json"
	"fmt"
	"strconv"

	"kith"
	"kith/internal/core"
	"kith/internal/store"
)

// onceOnly: what a hook wrote lands once, however often it was sent. Each hook
// writes a token nobody else writes, and counts itself in its unit's state; each
// command of an operator has a name of its own.
type onceOnly struct {
	tokens    map[string]uint64 // token → revision
	operators map[string]uint64
	sent      map[hookID]*attempts
	failures  map[hookID]int // runs that have failed and are not in history yet
	count     map[kith.UnitName]int
	unsure    map[kith.UnitName]bool // a hook landed of which one attempt counts, and another does not
}

// attempts are how often a hook was run to its end: by the charm, or because it has none.
type attempts struct{ full, missing int }

func (*onceOnly) name() string { return "once-only" }

func (c *onceOnly) init() {
	if c.tokens == nil {
		c.tokens, c.operators, c.sent = map[string]uint64{}, map[string]uint64{}, map[hookID]*attempts{}
		c.failures = map[hookID]int{}
		c.count, c.unsure = map[kith.UnitName]int{}, map[kith.UnitName]bool{}
	}
}

func (c *onceOnly) ended(h *hookRun) string {
	c.init()
	id := hookID{h.u.name, h.a.Seq}
	if c.sent[id] == nil {
		c.sent[id] = &attempts{}
	}
	if h.missing {
		c.sent[id].missing++
	} else {
		c.sent[id].full++
	}
	return ""
}

func (c *onceOnly) failing(h *hookRun) string {
	c.init()
	c.failures[hookID{h.u.name, h.a.Seq}]++
	return ""
}

func (c *onceOnly) entry(_ *ledger, e *core.Entry) string {
	c.init()
	if e.Actor.Kind == core.ActorUser {
		if first, twice := c.operators[e.Actor.Name]; twice {
			return fmt.Sprintf("%s of %s was done at revision %d and again at %d", e.Command, e.Actor.Name, first, e.Revision)
		}
		c.operators[e.Actor.Name] = e.Revision
	}
	for _, d := range e.Deltas {
		if d.Failure != "" && e.Hook != nil {
			id := hookID{e.Hook.Unit, e.Hook.Seq}
			if c.failures[id]--; c.failures[id] < 0 {
				return fmt.Sprintf("one failure of hook %d of %s, %s, counts twice", id.seq, id.unit, e.Hook.Hook.Name())
			}
		}
		token := d.Set["tok"]
		if d.Kind != core.KindBag || token == "" {
			continue
		}
		if first, twice := c.tokens[token]; twice {
			return fmt.Sprintf("token %s landed at revision %d and again at %d", token, first, e.Revision)
		}
		c.tokens[token] = e.Revision
	}
	return ""
}

func (c *onceOnly) fact(f fact) string {
	c.init()
	switch f.kind {
	case factRan:
		id := hookID{f.unit, f.entry.Hook.Seq}
		a := c.sent[id]
		if a == nil {
			return fmt.Sprintf("hook %d of %s, %s, has committed, and no charm ran it", id.seq, f.unit, f.hook.Name())
		}
		delete(c.sent, id)
		if a.full > 0 {
			c.count[f.unit]++
		}
		c.unsure[f.unit] = c.unsure[f.unit] || a.full > 0 && a.missing > 0
	case factGone:
		delete(c.count, f.unit)
		delete(c.unsure, f.unit)
	}
	return ""
}

// landed compares the counts that units keep of themselves.
func (c *onceOnly) landed(b store.Batch) string {
	c.init()
	for _, e := range b.Puts {
		if e.Kind != string(core.KindState) {
			continue
		}
		var s core.State
		if err := json.Unmarshal(e.Value, &s); err != nil {
			return err.Error()
		}
		n, _ := strconv.Atoi(s.Data["count"])
		if c.unsure[s.Unit] {
			c.count[s.Unit] = n
			delete(c.unsure, s.Unit)
		}
		if n != c.count[s.Unit] {
			return fmt.Sprintf("%s has committed %d hooks, and its state says %d", s.Unit, c.count[s.Unit], n)
		}
	}
	return ""
}
