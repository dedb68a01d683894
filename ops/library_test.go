package ops_test

import (
	"strings"
	"testing"

	"kith"
	"kith/internal/core"
	"kith/ops"
	"kith/ops/lib/database"
)

// The library kith/ops/lib/database, on the world of these tests: web is the client of pg.

// client is a charm that writes down what the library tells it.
func client(t *testing.T, d *diary, wait *bool) func(*ops.Framework) {
	return func(f *ops.Framework) {
		r, err := database.NewRequirer(f, "db", database.Request{Database: "shop", ExtraUserRoles: "admin"})
		if err != nil {
			t.Error(err)
			return
		}
		f.Observe(
			r.OnCreated(func(e *database.CreatedEvent) error {
				d.write("created " + e.Connection.String() + " " + e.Connection.Password)
				if *wait {
					return e.Defer()
				}
				return nil
			}).Named("connect"),
			r.OnChanged(func(e *database.ChangedEvent) error { d.write("changed " + e.Connection.String()); return nil }),
			r.OnRemoved(func(e *database.RemovedEvent) error { d.write("removed " + e.Relation.String()); return nil }),
		)
	}
}

func TestRequirer(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var d diary
	wait := false
	charm := client(t, &d, &wait)
	w.run(t, about(core.RelationCreated, "", ""), charm)
	want := map[string]string{"database": "shop", "extra-user-roles": "admin", "requested-secrets": `["username","password"]`}
	for k, v := range want {
		if w.bags["4 web"][k] != v {
			t.Errorf("asked with %v", w.bags["4 web"])
		}
	}
	w.run(t, about(core.RelationChanged, "", ""), charm)
	d.want(t, "without an answer")

	w.bags["4 pg"] = map[string]string{"database": "shop", "endpoints": "10.0.0.1:5432, 10.0.0.2:5432", "username": "u", "password": "s3cret"}
	wait = true
	w.run(t, about(core.RelationChanged, "", ""), charm)
	d.want(t, "answered", "created u@10.0.0.1:5432,10.0.0.2:5432/shop s3cret")
	wait = false
	if strings.Contains(w.state["#notices#"]+w.state["database/db"], "s3cret") {
		t.Errorf("credentials are stored: %v", w.state)
	}
	w.run(t, configure, charm)
	d.want(t, "deferred, and read anew", "created u@10.0.0.1:5432,10.0.0.2:5432/shop s3cret")
	w.run(t, about(core.RelationChanged, "pg/0", ""), charm)
	d.want(t, "nothing new")

	w.bags["4 pg"]["endpoints"] = "10.0.0.3:5432"
	w.run(t, about(core.RelationChanged, "", ""), charm)
	d.want(t, "moved", "changed u@10.0.0.3:5432/shop")
	w.run(t, about(core.RelationBroken, "", ""), charm)
	d.want(t, "broken", "removed db:4")
	w.run(t, about(core.RelationBroken, "", ""), charm)
	d.want(t, "broken again")

	follower := newWorld()
	follower.leader = false
	follower.run(t, about(core.RelationCreated, "", ""), charm)
	if len(follower.bags["4 web"]) != 0 {
		t.Errorf("a unit that does not lead asked: %v", follower.bags["4 web"])
	}
}

// With the credentials in a secret.
func TestRequirerReadsSecret(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var d diary
	wait := false
	w.bags["4 pg"] = map[string]string{"database": "shop", "endpoints": "h:1", "secret-user": "secret:" + string(hidden)}
	w.run(t, about(core.RelationChanged, "", ""), client(t, &d, &wait))
	d.want(t, "a secret that is not granted yet")
	w.bags["4 pg"]["secret-user"] = "secret:" + string(theirs)
	w.run(t, about(core.RelationChanged, "", ""), client(t, &d, &wait))
	d.want(t, "the newest of a secret that is", "created @h:1/shop theirs-2")
}

func TestProvider(t *testing.T) {
	t.Parallel()
	var d diary
	answer := true
	charm := func(f *ops.Framework) {
		p := database.NewProvider(f, "db")
		f.Observe(
			p.OnRequested(func(e *database.RequestedEvent) error {
				d.write("requested " + e.Request.Database + " by " + string(e.Request.Client))
				if !answer {
					return nil
				}
				return p.Publish(e.Request.Relation, database.Connection{Database: "shop", Endpoints: []string{"h:1", "h:2"}, Username: "u", Password: "pw"})
			}),
			p.OnReleased(func(e *database.ReleasedEvent) error { d.write("released by " + string(e.Client)); return nil }),
		)
	}
	w := newWorld()
	w.run(t, about(core.RelationChanged, "pg/0", ""), charm)
	d.want(t, "a client that has not asked")

	w.bags["4 pg"] = map[string]string{"database": "shop"}
	answer = false
	w.run(t, about(core.RelationChanged, "", ""), charm)
	w.run(t, core.Hook{Kind: core.LeaderElected}, charm)
	d.want(t, "until it is answered", "requested shop by pg", "requested shop by pg")
	answer = true
	w.run(t, about(core.RelationChanged, "", ""), charm)
	w.run(t, about(core.RelationChanged, "", ""), charm)
	d.want(t, "and then no more", "requested shop by pg")
	if bag := w.bags["4 web"]; bag["endpoints"] != "h:1,h:2" || bag["password"] != "pw" || bag["secret-user"] != "" {
		t.Errorf("answered %v", bag)
	}

	w = newWorld()
	w.bags["4 pg"] = map[string]string{"database": "shop", "requested-secrets": `["username","password"]`}
	w.run(t, about(core.RelationChanged, "", ""), charm)
	d.want(t, "asked for a secret", "requested shop by pg")
	if bag := w.bags["4 web"]; bag["password"] != "" || bag["username"] != "" || !strings.HasPrefix(bag["secret-user"], "secret:new") {
		t.Errorf("answered %v", bag)
	}
	if s := w.effects.Secrets; len(s) != 1 || s[0].Create != core.OwnerApp || len(s[0].Grants) != 1 {
		t.Errorf("secrets %+v", s)
	}
	w.run(t, about(core.RelationBroken, "", ""), charm)
	d.want(t, "broken", "released by pg")

	// For a leader that goes the relation breaks, and stays for the others.
	w.life = kith.Status(kith.Dying)
	w.run(t, about(core.RelationBroken, "", ""), charm)
	d.want(t, "of a unit that is removed")
	w.life, w.leader = kith.Active, false
	w.run(t, about(core.RelationBroken, "", ""), charm)
	d.want(t, "of a unit that does not lead")
}
