package sim

import (
	"encoding/json"
	"fmt"
	"strings"

	"kith"
	"kith/internal/core"
	"kith/internal/store"
)

// secretRead is one secret-get: who asked what, the answer, and of which revision it was.
type secretRead struct {
	unit  kith.UnitName
	q     core.SecretQuery
	value core.SecretValue
	err   error
	at    uint64
}

// span is a time in revisions: from one on and up to, not including, another; 0 is for ever.
type span struct{ from, to uint64 }

func (s span) holds(at uint64) bool { return s.from <= at && (s.to == 0 || at < s.to) }

// secretReaders: a secret is read by its owner, by the units of an owning application, and by
// whom it is granted to at that revision; by nobody else, and they are not refused
// (hook protocol reference, sections 12.4 and 12.7).
type secretReaders struct {
	owners map[kith.SecretID]core.SecretOwner
	grants map[string][]span // "secret/relation/subject"
}

func (*secretReaders) name() string { return "secrets-read-by-readers" }

func (c *secretReaders) batch(_ *ledger, b store.Batch, _ record) string {
	if c.owners == nil {
		c.owners, c.grants = map[kith.SecretID]core.SecretOwner{}, map[string][]span{}
	}
	for _, e := range b.Puts {
		if e.Kind != string(core.KindSecret) {
			continue
		}
		var s core.Secret
		if err := json.Unmarshal(e.Value, &s); err != nil {
			return err.Error()
		}
		if was, known := c.owners[s.ID]; known && was != s.Owner {
			return fmt.Sprintf("secret %s went from %s to %s", s.ID, was, s.Owner)
		}
		c.owners[s.ID] = s.Owner
	}
	return ""
}

func (c *secretReaders) entry(_ *ledger, e *core.Entry) string {
	for _, d := range e.Deltas {
		if d.Kind != core.KindSecretGrant {
			continue
		}
		spans := c.grants[d.ID]
		switch d.Action {
		case core.Added:
			spans = append(spans, span{from: e.Revision})
		case core.Deleted:
			spans[len(spans)-1].to = e.Revision
		}
		c.grants[d.ID] = spans
	}
	return ""
}

func (c *secretReaders) may(u kith.UnitName, id kith.SecretID, at uint64) bool {
	if o := c.owners[id]; o == core.UnitOwner(u) || o == core.AppOwner(u.App()) {
		return true
	}
	for grant, spans := range c.grants { // any order: one is enough
		parts := strings.SplitN(grant, "/", 3)
		if parts[0] != string(id) || parts[2] != string(u) && parts[2] != string(u.App()) {
			continue
		}
		for _, s := range spans {
			if s.holds(at) {
				return true
			}
		}
	}
	return false
}

func (c *secretReaders) readSecret(r secretRead) string {
	switch {
	case r.err == nil && !c.may(r.unit, r.value.ID, r.at):
		return fmt.Sprintf("%s has read secret %s of %s at revision %d, and may not", r.unit, r.value.ID, c.owners[r.value.ID], r.at)
	case kith.CodeOf(r.err) == kith.Forbidden && c.may(r.unit, r.q.ID, r.at):
		return fmt.Sprintf("%s was refused secret %s at revision %d, and may read it", r.unit, r.q.ID, r.at)
	}
	return ""
}

// secretRevisions: each hook or command that gave a secret new content has made one revision of
// it, numbered without a gap, which reads as what was written and never otherwise.
type secretRevisions struct {
	there   map[kith.SecretID]bool
	numbers map[kith.SecretID]int
	// written are the values a revision may have: of several attempts of a hook one has counted.
	written map[string][]string
	// tried are the contents that attempts of a hook have written, by secret.
	tried map[hookID][]map[kith.SecretID]string
}

func (*secretRevisions) name() string { return "secret-revisions" }

func (c *secretRevisions) init() {
	if c.there == nil {
		c.there, c.numbers = map[kith.SecretID]bool{}, map[kith.SecretID]int{}
		c.written, c.tried = map[string][]string{}, map[hookID][]map[kith.SecretID]string{}
	}
}

func (c *secretRevisions) ended(h *hookRun) string {
	c.init()
	wrote := map[kith.SecretID]string{}
	if !h.missing {
		for _, w := range h.run.Effects().Secrets {
			if len(w.Data) > 0 {
				wrote[w.ID] = w.Data.Decoded()["password"]
			}
		}
	}
	id := hookID{h.u.name, h.a.Seq}
	c.tried[id] = append(c.tried[id], wrote)
	return ""
}

func (c *secretRevisions) entry(l *ledger, e *core.Entry) string {
	c.init()
	attempts := c.attempts(l, e)
	made := map[kith.SecretID]bool{}
	for _, d := range e.Deltas {
		switch {
		case d.Kind == core.KindSecretContent && d.Action == core.Added:
			if bad := c.added(e, d, attempts, made); bad != "" {
				return bad
			}
		case d.Kind == core.KindSecretContent && d.Action == core.Changed:
			return fmt.Sprintf("revision %s of a secret has changed", d.ID)
		}
	}
	if len(attempts) == 1 {
		for id := range attempts[0] { // any order: one is enough
			if c.there[id] && !made[id] {
				return fmt.Sprintf("%s at revision %d wrote secret %s, and made no revision of it", e.Actor, e.Revision, id)
			}
		}
	}
	for _, d := range e.Deltas {
		if d.Kind == core.KindSecret && d.Action != core.Changed {
			c.there[kith.SecretID(d.ID)] = d.Action == core.Added
		}
	}
	return ""
}

// attempts are what an entry's command may have written: one for an operator's, one for each
// attempt of a hook.
func (c *secretRevisions) attempts(l *ledger, e *core.Entry) []map[kith.SecretID]string {
	switch {
	case e.Command == "commit-hook":
		id := hookID{e.Hook.Unit, e.Hook.Seq}
		all := c.tried[id]
		delete(c.tried, id)
		return all
	case e.Actor.Kind == core.ActorUser && l.w.given[e.Actor.Name] != nil:
		switch op := l.w.given[e.Actor.Name].op.(type) {
		case core.AddSecret:
			return []map[kith.SecretID]string{{op.ID: op.Data.Decoded()["password"]}}
		case core.UpdateSecret:
			return []map[kith.SecretID]string{{kith.SecretID(op.Secret): op.Data.Decoded()["password"]}}
		}
	}
	return nil
}

func (c *secretRevisions) added(e *core.Entry, d core.Delta, attempts []map[kith.SecretID]string, made map[kith.SecretID]bool) string {
	id := kith.SecretID(strings.SplitN(d.ID, "/", 2)[0])
	c.numbers[id]++
	if want := fmt.Sprintf("%s/%d", id, c.numbers[id]); d.ID != want || made[id] {
		return fmt.Sprintf("%s at revision %d made %s, and the next was %s", e.Actor, e.Revision, d.ID, want)
	}
	made[id] = true
	for _, a := range attempts {
		if value, wrote := a[id]; wrote {
			c.written[d.ID] = append(c.written[d.ID], value)
		}
	}
	if len(c.written[d.ID]) == 0 {
		return fmt.Sprintf("%s at revision %d made %s, and nobody wrote it", e.Actor, e.Revision, d.ID)
	}
	return ""
}

func (c *secretRevisions) readSecret(r secretRead) string {
	if r.err != nil {
		return ""
	}
	c.init()
	revision := fmt.Sprintf("%s/%d", r.value.ID, r.value.Revision)
	got := r.value.Data.Decoded()["password"]
	for _, value := range c.written[revision] {
		if value == got {
			c.written[revision] = []string{got} // from now on it is known which
			return ""
		}
	}
	return fmt.Sprintf("%s has read %s as %q, which was written as %q", r.unit, revision, got, c.written[revision])
}

// secretsTold: at rest every unit that sees an older revision of a secret was told of the newest, by
// a hook that has run; and no revision is announced twice to a unit that goes on reading it
// (hook protocol reference, section 12.4).
type secretsTold struct {
	told map[kith.UnitName]map[kith.SecretID]int
}

func (*secretsTold) name() string { return "secrets-told" }

func (c *secretsTold) entry(_ *ledger, e *core.Entry) string {
	for _, d := range e.Deltas {
		if d.Kind == core.KindSecretConsumer && d.Action == core.Deleted {
			id, unit, _ := strings.Cut(d.ID, "/")
			delete(c.told[kith.UnitName(unit)], kith.SecretID(id)) // what it reads next it reads anew
		}
	}
	return ""
}

func (c *secretsTold) fact(f fact) string {
	if !f.hooked() || f.hook.Kind != core.SecretChanged {
		return ""
	}
	if c.told == nil {
		c.told = map[kith.UnitName]map[kith.SecretID]int{}
	}
	told := c.told[f.unit]
	if told == nil {
		told = map[kith.SecretID]int{}
		c.told[f.unit] = told
	}
	s := f.hook.Secret
	if told[s.ID] >= s.Revision {
		return fmt.Sprintf("%s is told of revision %d of secret %s after revision %d", f.unit, s.Revision, s.ID, told[s.ID])
	}
	told[s.ID] = s.Revision
	return ""
}

func (c *secretsTold) rested(_ *World, p *process) string {
	m := p.engine.Snapshot()
	for s := range m.Secrets() {
		for r := range m.SecretConsumers(s.ID) {
			u, past := m.Unit(r.Unit), m.Progress(r.Unit)
			if u == nil || u.Life != kith.Alive || past.Failed != nil || !past.Installed {
				continue
			}
			if r.Revision < s.Latest && c.told[r.Unit][s.ID] < s.Latest {
				return fmt.Sprintf("%s sees revision %d of secret %s and was told of %d, and the newest is %d",
					r.Unit, r.Revision, s.ID, c.told[r.Unit][s.ID], s.Latest)
			}
		}
	}
	return ""
}
