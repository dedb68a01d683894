package resolve_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kith"
	"kith/internal/core"
	"kith/internal/script"
)

// TestGuaranteesHoldInRandomHistories drives a model with random commands in
// random interleavings and has the witness check G1 to G12 all along; then it
// repairs everything, lets it settle, and takes it apart.
func TestGuaranteesHoldInRandomHistories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := newDriver(t)
		for range rapid.IntRange(5, 100).Draw(t, "length") {
			d.act()
		}
		d.repair()
		d.run("settle")
		d.witness.settled()
		if left := d.tasks(); len(left) > 0 {
			d.fail("settled with tasks %v left over", left)
		}
		d.check()
		for _, app := range castApps {
			d.run("remove-application " + app)
		}
		d.repair()
		d.run("settle")
		d.check()
		for a := range d.w.Model().Apps() {
			d.fail("application %s is left over", a.Name)
		}
		for s := range d.w.Model().Secrets() {
			if s.Owner.Kind != core.OwnerModel {
				d.fail("secret %s of %s is left over", s.ID, s.Owner)
			}
		}
		for r := range d.w.Model().Relations() {
			d.fail("relation %d is left over", r.ID)
		}
		for _, id := range d.storage() {
			if d.w.Model().Storage(kith.StorageID(id)).Unit != "" {
				d.fail("storage %s is held by a unit that is gone", id)
			}
		}
	})
}

type driver struct {
	t       *rapid.T
	w       *script.World
	witness *witness
	text    strings.Builder
}

const cast = `
charm app peers=cluster:app requires=db:mysql:optional options=x actions=a,b,p:parallel,g:group=g
charm wordpress requires=db:mysql provides=website:http peers=loadbalancer:lb storage=media,cache:min=0:max=2 options=x actions=a,g:group=g
charm mysql provides=server:mysql peers=cluster:mysql storage=data:max=-1 options=x
charm logging subordinate storage=spool requires=info:juju-info:container,sink:mysql options=x actions=a,b,g:parallel:group=g
deploy mysql units=2
deploy wordpress
integrate wordpress mysql
settle quiet mysql/0
settle quiet mysql/1
`

func newDriver(t *rapid.T) *driver {
	d := &driver{t: t, w: script.New()}
	d.witness = newWitness(d.w)
	d.run(strings.TrimSpace(cast))
	return d
}

func (d *driver) fail(format string, args ...any) {
	d.t.Helper()
	d.t.Fatalf("%s\nafter this script:\n%s", fmt.Sprintf(format, args...), d.text.String())
}

func (d *driver) run(text string) {
	d.text.WriteString(text + "\n")
	if _, err := d.w.Run(text); err != nil {
		d.fail("%v", err)
	}
	d.check()
}

func (d *driver) check() {
	if bad := d.witness.bad; len(bad) > 0 {
		d.fail("%s", strings.Join(bad, "\n"))
	}
	d.witness.vanished()
	for u := range d.w.Model().Units() {
		d.checkDue(u.Name)
	}
}

// checkDue holds what a unit looks at against all its relations: the rules, read out one
// by one, ask for nothing in those it passes over.
func (d *driver) checkDue(unit kith.UnitName) {
	v, _ := core.ViewOf(d.w.Model(), unit)
	due := v.Due()
	for r := range v.Relations() {
		if slices.ContainsFunc(due, func(o core.RelationView) bool { return o.Relation.ID == r.Relation.ID }) {
			continue
		}
		switch {
		case r.Member == nil:
			if !r.Ending() {
				d.fail("%s passes over relation %d, which it has yet to enter", unit, r.Relation.ID)
			}
		case r.Own.Implicit:
			if r.Ending() {
				d.fail("%s passes over relation %d, which it has to leave", unit, r.Relation.ID)
			}
		case !r.Member.Created && !r.Ending():
			d.fail("%s passes over relation %d, of which it has not been told", unit, r.Relation.ID)
		default:
			if kind, remote, _, ok := twin(r); ok {
				d.fail("%s passes over relation %d, which asks for %s of %q", unit, r.Relation.ID, kind, remote)
			}
		}
	}
}

// pick draws one of the names; "" if there are none.
func (d *driver) pick(what string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return rapid.SampledFrom(names).Draw(d.t, what)
}

func (d *driver) units(keep func(*core.Unit) bool) []string {
	var names []string
	for u := range d.w.Model().Units() {
		if keep == nil || keep(u) {
			names = append(names, string(u.Name))
		}
	}
	return names
}

func (d *driver) running() []string {
	return d.units(func(u *core.Unit) bool {
		p := d.w.Model().Progress(u.Name)
		return p != nil && p.Running != nil
	})
}

func (d *driver) failed() []string {
	return d.units(func(u *core.Unit) bool {
		p := d.w.Model().Progress(u.Name)
		return p != nil && p.Failed != nil
	})
}

// tasks are those that are not over.
func (d *driver) tasks() []string {
	var ids []string
	for u := range d.w.Model().Units() {
		for t := range d.w.Model().ActiveTasks(u.Name) {
			ids = append(ids, t.ID.String())
		}
	}
	return ids
}

func (d *driver) storage() []string {
	var ids []string
	for s := range d.w.Model().Storages() {
		ids = append(ids, string(s.ID))
	}
	return ids
}

func (d *driver) relations() []string {
	var ids []string
	for r := range d.w.Model().Relations() {
		ids = append(ids, r.ID.String())
	}
	return ids
}

var (
	castApps   = []string{"app", "wordpress", "mysql", "logging"}
	principals = []string{"app", "wordpress", "mysql"}
	hookNames  = []string{"*-relation-created", "*-relation-joined", "*-relation-changed", "*-relation-departed", "*-relation-broken", "*-changed", "*-elected", "st*", "install", "secret-*", "*-storage-*"}
)

// actions are what the driver may do, with how often.
var actions = []struct {
	weight int
	line   func(*driver) string
}{
	{40, func(d *driver) string {
		return fmt.Sprintf("step %s %d", d.pick("unit", d.units(nil)), rapid.SampledFrom([]int{1, 1, 1, 2, 3, 8}).Draw(d.t, "steps"))
	}},
	{8, func(*driver) string { return "settle" }},
	{6, (*driver).lineBegin},
	{6, func(d *driver) string { return line("commit", d.pick("running", d.running())) }},
	{2, func(d *driver) string { return line("kill", d.pick("running", d.running())) }},
	{2, func(*driver) string { return "crash" }},
	{1, (*driver).lineReboot},
	{3, func(d *driver) string { return "advance " + d.pick("time", []string{"1s", "5s", "1m", "6m", "61m"}) }},
	{3, func(d *driver) string { return "deploy " + d.pick("app", castApps) }},
	{5, func(d *driver) string { return "add-unit " + d.pick("app", principals) }},
	{5, func(d *driver) string { return line("remove-unit", d.pick("unit", d.units(nil))) }},
	{1, func(d *driver) string { return line("remove-unit", d.pick("unit", d.units(nil)), "force") }},
	{1, func(d *driver) string { return "remove-application " + d.pick("app", castApps) }},
	{3, func(d *driver) string {
		return "integrate " + d.pick("db", []string{"app", "wordpress"}) + ":db mysql:server"
	}},
	{3, func(d *driver) string { return "integrate logging:info " + d.pick("app", principals) }},
	{1, func(*driver) string { return "integrate logging:sink mysql:server" }},
	{4, func(d *driver) string { return line("remove-relation", d.pick("relation", d.relations())) }},
	{1, func(d *driver) string { return line("remove-relation", d.pick("relation", d.relations()), "force") }},
	{1, func(d *driver) string { return line("suspend", d.pick("relation", d.relations())) }},
	{2, func(d *driver) string { return line("resume", d.pick("relation", d.relations())) }},
	{3, func(d *driver) string {
		return "config " + d.pick("app", castApps) + " x=" + d.pick("value", []string{"1", "2", ""})
	}},
	{2, func(d *driver) string {
		return "fail " + d.pick("app", castApps) + "/* " + d.pick("hook", hookNames) + " times=1"
	}},
	{3, (*driver).lineResolved},
	{4, func(d *driver) string {
		return line("run", d.pick("unit", d.units(nil)), d.pick("action", []string{"a", "b", "p", "g"}))
	}},
	{3, func(d *driver) string {
		return line("command", d.pick("unit", d.units(nil)), d.pick("how", []string{"group=g", "serial", "force"}))
	}},
	{2, func(d *driver) string { return line("cancel", d.pick("task", d.tasks())) }},
	{1, func(d *driver) string { return line("elect", d.pick("unit", d.units(nil))) }},
	{3, func(d *driver) string {
		return line("add-storage", d.pick("unit", d.units(nil)), d.pick("storage", []string{"data", "cache", "media", "cache=2"}))
	}},
	{3, func(d *driver) string { return line("detach-storage", d.pick("storage", d.storage())) }},
	{1, func(d *driver) string { return line("detach-storage", d.pick("storage", d.storage()), "force") }},
	{3, func(d *driver) string {
		return line("attach-storage", d.pick("unit", d.units(nil)), d.pick("storage", d.storage()))
	}},
	{1, func(d *driver) string {
		return line("remove-storage", d.pick("storage", d.storage()), d.pick("how", []string{"force", "no-destroy"}))
	}},
	{1, func(d *driver) string { return line("remove-unit", d.pick("unit", d.units(nil)), "destroy-storage") }},
	{6, (*driver).lineWrite},
	{8, (*driver).lineSecret},
	{3, (*driver).lineUserSecret},
	{2, (*driver).lineOn},
}

// line joins words; it is empty if a word is, because there was nothing to pick.
func line(words ...string) string {
	if slices.Contains(words, "") {
		return ""
	}
	return strings.Join(words, " ")
}

func (d *driver) act() {
	total := 0
	for _, a := range actions {
		total += a.weight
	}
	n := rapid.IntRange(0, total-1).Draw(d.t, "action")
	for _, a := range actions {
		if n -= a.weight; n < 0 {
			if l := a.line(d); l != "" && l != "step  1" {
				d.run(l)
			}
			return
		}
	}
}

// lineReboot reboots the computer: units that have started do so once more.
func (d *driver) lineReboot() string {
	for _, s := range d.witness.units { // any order: each by itself
		s.rebooted = s.rebooted || s.started
	}
	return "reboot"
}

// ready lists units that could begin a hook.
func (d *driver) ready() []string {
	return d.units(func(u *core.Unit) bool {
		step, ok := d.w.Next(u.Name)
		return ok && step.Kind == "run"
	})
}

func (d *driver) lineBegin() string { return line("begin", d.pick("ready", d.ready())) }

func (d *driver) lineResolved() string {
	unit := d.pick("failed", d.failed())
	if unit == "" || rapid.Bool().Draw(d.t, "retry") {
		return line("resolved", unit)
	}
	p := d.w.Model().Progress(kith.UnitName(unit))
	if !p.InError() { // it is being retried: the command is refused
		return "resolved " + unit + " no-retry"
	}
	// The hook counts as run though no event tells of it.
	d.witness.story(p.Unit).failed = nil
	if !d.witness.moot(p.Unit, p.Failed.Hook) {
		d.witness.committed(p.Unit, p.Failed.Hook)
	}
	return "resolved " + unit + " no-retry"
}

// idle is a unit that could run a hook out of turn, and a relation it is in; empty if it is in none.
func (d *driver) idle() (unit, relation string) {
	unit = d.pick("writer", d.units(func(u *core.Unit) bool {
		p := d.w.Model().Progress(u.Name)
		return p != nil && p.Started && !p.Removed && p.Running == nil && p.Failed == nil && p.Queued == "" && u.Life == kith.Alive
	}))
	if unit == "" {
		return "", ""
	}
	var ids []string
	for r := range d.w.Model().RelationsOf(kith.UnitName(unit).App()) {
		if d.w.Model().Member(r.ID, kith.UnitName(unit)) != nil {
			ids = append(ids, r.ID.String())
		}
	}
	return unit, d.pick("relation", ids)
}

// lineWrite publishes data from a unit that is idle and in a relation.
func (d *driver) lineWrite() string {
	unit, id := d.idle()
	if id == "" {
		return ""
	}
	return fmt.Sprintf("exec %s: relation-set -r %s k=%d; try storage-add cache", unit, id, rapid.IntRange(0, 3).Draw(d.t, "value"))
}

// secret is one of those there are.
func (d *driver) secret() string {
	var ids []string
	for s := range d.w.Model().Secrets() {
		ids = append(ids, "secret:"+strings.TrimLeft(string(s.ID), "0"))
	}
	return d.pick("secret", ids)
}

// lineSecret does something about a secret in an idle unit; who may not is told so, and its hook goes on.
func (d *driver) lineSecret() string {
	unit, id := d.idle()
	if unit == "" {
		return ""
	}
	s := d.secret()
	if s == "" || rapid.IntRange(0, 4).Draw(d.t, "new") == 0 {
		s = "try secret-add password=one --owner " + d.pick("owner", []string{"unit", "application"}) +
			d.pick("more", []string{"", " --rotate hourly", " --expire 30m", " --label mine"})
		return "exec " + unit + ": " + s
	}
	tools := []string{"secret-get " + s, "secret-get " + s + " --refresh", "secret-get " + s + " --peek", "secret-get " + s + " --label theirs",
		"secret-set " + s + fmt.Sprintf(" password=%d", rapid.IntRange(0, 5).Draw(d.t, "content")), "secret-set " + s + " --rotate daily", "secret-set " + s + " --expire 1m",
		"secret-remove " + s, "secret-remove " + s + fmt.Sprintf(" --revision %d", rapid.IntRange(1, 3).Draw(d.t, "revision"))}
	if id != "" {
		tools = append(tools, "secret-grant "+s+" -r "+id, "secret-grant "+s+" -r "+id, "secret-revoke "+s+" -r "+id)
	}
	return "exec " + unit + ": try " + d.pick("tool", tools)
}

// lineUserSecret is what a user may do about secrets.
func (d *driver) lineUserSecret() string {
	s := d.secret()
	if s == "" {
		return "add-secret token password=x"
	}
	return d.pick("user's", []string{"add-secret other password=x", "update-secret " + s + fmt.Sprintf(" password=%d", rapid.IntRange(0, 9).Draw(d.t, "content")),
		"update-secret " + s + " prune", "grant-secret " + s + " " + d.pick("app", castApps), "revoke-secret " + s + " " + d.pick("app", castApps), "remove-secret " + s})
}

// lineOn makes charms write from their hooks, application data included: a
// non-leader's attempt fails the hook.
func (d *driver) lineOn() string {
	return fmt.Sprintf("on %s/* %s: relation-set %sh=%d", d.pick("app", castApps), "*-relation-"+d.pick("kind", []string{"created", "joined", "departed", "broken"}),
		d.pick("side", []string{"", "", "--app "}), rapid.IntRange(0, 3).Draw(d.t, "value"))
}

// repair ends every running hook, forgets what hooks were told to do, and
// retries what is in error until nothing is.
func (d *driver) repair() {
	d.text.WriteString("mend everything\n")
	d.w.Mend()
	for range 100 {
		for _, u := range d.running() {
			d.run("commit " + u)
		}
		failed := d.failed()
		if len(failed) > 0 {
			d.run("resolved " + strings.Join(failed, " "))
		}
		d.run("settle")
		if len(d.failed()) == 0 && len(d.running()) == 0 {
			return
		}
	}
	d.fail("no repair: failed %v, running %v", d.failed(), d.running())
}
