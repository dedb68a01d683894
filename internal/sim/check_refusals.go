package sim

import (
	"fmt"
	"strings"

	"kith/internal/api"
	"kith/internal/core"
)

// refusals: a command that was refused has changed nothing, and never will.
type refusals struct {
	operators map[string]bool // by the actor's name, of which each command has its own
	tokens    map[string]bool // of hooks whose commit was refused
	done      map[string]bool // operators whose command is in history
}

func (*refusals) name() string { return "refusals-leave-no-trace" }

func (c *refusals) init() {
	if c.operators == nil {
		c.operators, c.tokens, c.done = map[string]bool{}, map[string]bool{}, map[string]bool{}
	}
}

func (c *refusals) answered(_ *ledger, k *call, _ api.CommandReply, err error) string {
	c.init()
	if refused(err) && k.said != "" {
		c.operators[k.actor.Name] = true
		if c.done[k.actor.Name] {
			return fmt.Sprintf("%s was refused (%v), and is in history", k.said, err)
		}
	}
	return ""
}

// heard is told of a commit whose refusal has reached the agent: before that it
// asks again, and may be lucky. So may a message that the network has repeated.
func (c *refusals) heard(h *hookRun, err error) string {
	c.init()
	if refused(err) && !h.copied {
		c.tokens[h.token] = true
	}
	return ""
}

func (c *refusals) entry(_ *ledger, e *core.Entry) string {
	c.init()
	if e.Actor.Kind == core.ActorUser {
		if c.operators[e.Actor.Name] {
			return fmt.Sprintf("%s of %s is in history as revision %d, and was refused", e.Command, e.Actor.Name, e.Revision)
		}
		c.done[e.Actor.Name] = true
	}
	for _, d := range e.Deltas {
		if token := strings.TrimPrefix(d.Set["tok"], "app."); d.Kind == core.KindBag && c.tokens[token] {
			return fmt.Sprintf("bag %s has what hook %s wrote, whose commit was refused", d.ID, token)
		}
	}
	return ""
}
