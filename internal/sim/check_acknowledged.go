package sim

import (
	"fmt"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// acknowledged: what a controller has answered with success is in the store's
// history at that moment, under the revision it named.
type acknowledged struct {
	ran map[hookID]bool
	// otherwise are units of which a hook was used up in another way than by a commit.
	otherwise map[kith.UnitName]bool
}

func (*acknowledged) name() string { return "acknowledged-writes" }

func (c *acknowledged) entry(_ *ledger, e *core.Entry) string {
	if c.ran == nil {
		c.ran, c.otherwise = map[hookID]bool{}, map[kith.UnitName]bool{}
	}
	if e.Command == "commit-hook" {
		c.ran[hookID{e.Hook.Unit, e.Hook.Seq}] = true
		return ""
	}
	if e.Command == "begin-task" || e.Command == "finish-task" {
		return "" // a task uses up no hook
	}
	for _, d := range e.Deltas {
		if d.Kind == core.KindProgress && d.Failure == "" && e.Command != "begin-hook" {
			c.otherwise[kith.UnitName(d.ID)] = true
		}
	}
	return ""
}

func (c *acknowledged) answered(l *ledger, k *call, r api.CommandReply, err error) string {
	if err != nil {
		return ""
	}
	commit, committing := k.op.(core.CommitHook)
	if r.Unchanged {
		if committing && !c.ran[hookID{commit.Unit, commit.Seq}] && !c.otherwise[commit.Unit] {
			return fmt.Sprintf("hook %d of %s was answered as committed before, and never was", commit.Seq, commit.Unit)
		}
		return ""
	}
	e := l.at(r.Revision)
	if e == nil || e.Command != k.op.Name() || e.Actor != k.actor {
		return fmt.Sprintf("%s of %s was answered as revision %d, and the store has %v there", k.op.Name(), k.actor, r.Revision, e)
	}
	return ""
}
