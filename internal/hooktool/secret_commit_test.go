package hooktool_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kith"
	"kith/charm"
	"kith/internal/core"
	"kith/internal/hooktool"
)

// committed is a whole model, in which hooks commit what their tools wrote.
type committed struct {
	*host
	m    *core.Model
	unit kith.UnitName
}

func (c *committed) IsLeader() (bool, error) { return c.m.IsLeader(c.unit, c.now), nil }

func (c *committed) Secret(q core.SecretQuery) (core.SecretValue, error) {
	return core.ReadSecret(c.m, c.unit, q, c.now)
}

func (c *committed) OwnedSecrets() ([]core.SecretInfo, error) {
	return core.OwnedSecrets(c.m, c.unit), nil
}

func newCommitted(fatal func(...any)) *committed {
	c := &committed{host: newHost(), m: &core.Model{}}
	admin, local := core.Actor{Kind: core.ActorUser, Name: "admin"}, core.Actor{Kind: core.ActorHost, Name: "local"}
	do := func(actor core.Actor, op core.Op) {
		if _, _, err := core.Commit(c.m, core.Command{Now: c.now, Actor: actor, Op: op}); err != nil {
			fatal(op.Name(), err)
		}
	}
	do(core.System, core.CreateModel{UUID: "u", ModelName: "m", Owner: "admin"})
	do(core.System, core.HostHello{Host: "local", Epoch: "1"})
	end := func(role kith.Role) map[string]charm.Relation {
		return map[string]charm.Relation{"db": {Name: "db", Interface: "sql", Role: role, Scope: kith.Global}}
	}
	do(admin, core.AddCharm{ID: "web", Charm: charm.Charm{Meta: charm.Meta{Name: "web", Requires: end(kith.Requirer)}}})
	do(admin, core.AddCharm{ID: "pg", Charm: charm.Charm{Meta: charm.Meta{Name: "pg", Provides: end(kith.Provider)}}})
	for _, app := range []kith.AppName{"web", "pg"} {
		do(admin, core.Deploy{App: app, Charm: string(app), Units: 2})
		for n := range 2 {
			do(local, core.UnitHello{Unit: kith.UnitOf(app, n)})
			do(core.UnitActor(kith.UnitOf(app, n)), core.CommitHook{Unit: kith.UnitOf(app, n), Seq: 1, Hook: core.Hook{Kind: core.Install, Charm: string(app)}})
		}
	}
	do(admin, core.Integrate{A: kith.Endpoint{App: "web"}, B: kith.Endpoint{App: "pg"}})
	for _, u := range []kith.UnitName{"web/0", "web/1", "pg/0", "pg/1"} {
		do(core.System, core.EnterScopes{Unit: u, Relations: []kith.RelationID{0}})
	}
	return c
}

// begin starts a hook of a unit.
func (c *committed) begin(u kith.UnitName) *hooktool.Run {
	c.unit = u
	v, _ := core.ViewOf(c.m, u)
	hook := core.Hook{Kind: core.UpdateStatus}
	ctx := v.Context(hook, c.now)
	return hooktool.NewRun(&ctx, hook, c)
}

func (c *committed) commit(run *hooktool.Run) error {
	_, _, err := core.Commit(c.m, core.Command{Now: c.now, Actor: core.UnitActor(c.unit), Op: core.CommitHook{
		Unit: c.unit, Seq: c.m.Progress(c.unit).Seq + 1, Hook: core.Hook{Kind: core.UpdateStatus}, Effects: run.Effects()}})
	return err
}

// Section 15, on random calls about secrets: what the tools take, the commit takes; and what they show
// at the end of a hook is what they show in the next one, but for the number of a revision and when it expires: whether there is a new one the commit decides.
func TestSecretsAreCommittedAsShown(t *testing.T) {
	t.Parallel()
	words := []string{
		"secret-add password=%d --owner application", "secret-add password=%d --owner unit", "secret-add password=%d --owner unit --label l%d",
		"secret-add password=%d --label l%d --rotate daily --expire 1h --description text",
		"secret-set %s password=%d", "secret-set %s --label l%d", "secret-set %s --rotate hourly", "secret-set %s --expire 2h password=%d", "secret-set %s --description %d",
		"secret-get %s", "secret-get %s --refresh", "secret-get %s --peek", "secret-get %s --label l%d", "secret-get --label l%d",
		"secret-grant %s -r 0", "secret-grant %s -r 0 --unit pg/0", "secret-grant %s -r 0 --unit pg/1", "secret-revoke %s -r 0", "secret-revoke %s --unit pg/0", "secret-revoke %s --app web",
		"secret-remove %s", "secret-remove %s --revision %d", "secret-info-get %s", "secret-ids",
	}
	rapid.Check(t, func(t *rapid.T) {
		c := newCommitted(t.Fatal)
		for range rapid.IntRange(1, 6).Draw(t, "hooks") {
			run := c.begin(rapid.SampledFrom([]kith.UnitName{"web/0", "web/1", "pg/0", "pg/1"}).Draw(t, "unit"))
			said := []string{string(c.unit)}
			for range rapid.IntRange(1, 6).Draw(t, "calls") {
				call := c.call(t, rapid.SampledFrom(words).Draw(t, "call"))
				if !c.sends(run, call) {
					continue
				}
				said = append(said, call+": "+show(run.Exec(split(call))))
			}
			before := c.shown(run)
			if err := c.commit(run); err != nil {
				t.Fatalf("%s\nis refused: %v", strings.Join(said, "\n"), err)
			}
			if bad := core.Check(c.m); len(bad) > 0 {
				t.Fatalf("%s\nbroke %v", strings.Join(said, "\n"), bad)
			}
			if after := c.shown(c.begin(c.unit)); after != before && !removesOne(run) {
				t.Fatalf("%s\nat the end of the hook the tools show\n%s\nand in the next one\n%s", strings.Join(said, "\n"), before, after)
			}
			c.now = c.now.Add(time.Second)
		}
	})
}

// removesOne reports whether a hook has removed single revisions: which is then the newest, and
// whether any is left, shows after the commit.
func removesOne(run *hooktool.Run) bool {
	return slices.ContainsFunc(run.Effects().Secrets, func(w core.SecretWrite) bool { return len(w.RemoveRevisions) > 0 })
}

// call fills in a secret for %s, mostly one that exists, and a small number for %d.
func (c *committed) call(t *rapid.T, word string) string {
	number := rapid.IntRange(0, 2)
	for strings.Contains(word, "%") {
		at := strings.IndexByte(word, '%')
		with := fmt.Sprint(number.Draw(t, "number"))
		if word[at+1] == 's' {
			with = fmt.Sprintf("new%017d", rapid.IntRange(1, max(c.ids, 1)).Draw(t, "secret"))
		}
		word = word[:at] + with + word[at+2:]
	}
	return word
}

// sends reports whether a call is one whose commit cannot be refused: secret-set of another's secret, or
// of none, is found by the commit only (section 12.3).
func (c *committed) sends(run *hooktool.Run, call string) bool {
	words := strings.Fields(call)
	if words[0] != "secret-set" {
		return true
	}
	for _, w := range run.Effects().Secrets {
		if w.Create != "" && string(w.ID) == words[1] {
			return true
		}
	}
	s := c.m.Secret(kith.SecretID(words[1]))
	return s != nil && (s.Owner == core.UnitOwner(c.unit) || s.Owner == core.AppOwner(c.unit.App()))
}

var revisionNumber = regexp.MustCompile(`"revision":\d+|,"expiry":"[^"]*"`)

// shown is all the tools tell of secrets.
func (c *committed) shown(run *hooktool.Run) string {
	var all strings.Builder
	ask := func(call string) {
		r := run.Exec(split(call))
		all.WriteString(call + ": " + revisionNumber.ReplaceAllString(show(r), "") + "\n")
	}
	ask("secret-ids --format json")
	for n := range c.ids {
		id := fmt.Sprintf("new%017d", n+1)
		ask("secret-info-get --format json " + id)
		ask("secret-get --format json --peek " + id)
	}
	for n := range 3 {
		ask(fmt.Sprintf("secret-get --format json --peek --label l%d", n))
		ask(fmt.Sprintf("secret-info-get --format json --label l%d", n))
	}
	return all.String()
}
