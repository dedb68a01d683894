package opstest_test

import (
	"testing"
	"time"

	"kith"
	"kith/ops"
	"kith/ops/opstest"
)

// What a test asks for in a wrong way is said to the one who wrote it, before anything happens.
func TestMisuse(t *testing.T) {
	t.Parallel()
	quiet := opstest.NewCharm(func(*ops.Framework) (struct{}, error) { return struct{}{}, nil }, opstest.YAML(`
name: quiet
summary: says nothing
description: says nothing
provides: {db: {interface: sql}}
`))
	h, m := opstest.NewHarness(t, quiet), opstest.NewModel(t)
	id := h.AddRelation("db", "web")
	m.Deploy("quiet", quiet)
	for _, c := range []struct {
		name string
		try  func(func()) error
		do   func()
		want string
	}{
		{"an endpoint", h.Try, func() { h.AddRelation("nope", "x") }, `charm "quiet" has no endpoint "nope"`},
		{"a remote application's name", h.Try, func() { h.AddRelation("db", "X") }, `invalid application name "X", unexpected uppercase character`},
		{"a unit's name", h.Try, func() { h.AddRelationUnit(id, "web") }, `invalid unit name "web"`},
		{"a unit of another application", h.Try, func() { h.AddRelationUnit(id, "foo/0") },
			`cannot add unit "foo/0" to relation 0: it is not of the remote application`},
		{"the clock", h.Try, func() { h.Advance(-time.Second) }, "cannot turn the clock back by 1s"},
		{"the clock of a model", m.Try, func() { m.Advance(-time.Second) }, "cannot turn the clock back by 1s"},
		{"a name", m.Try, func() { m.Deploy("a/b", quiet) }, `invalid application name "a/b", unexpected character /`},
		{"a number of units", m.Try, func() { m.Deploy("more", quiet, opstest.Units(-1)) }, `cannot deploy -1 units of "more"`},
	} {
		err := c.try(c.do)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		} else if code := kith.CodeOf(err); code != kith.Invalid && code != kith.NotFound {
			t.Errorf("%s: code %s", c.name, code)
		}
	}
	if err := h.Try(func() { h.AddResource("x", nil) }); kith.HintOf(err) != `charm "quiet" declares none` {
		t.Errorf("a resource: %v, hint %q", err, kith.HintOf(err))
	}
	err := m.Try(func() { m.Deploy("lost", opstest.NewCharm(func(*ops.Framework) (int, error) { return 0, nil })) })
	if err == nil || kith.HintOf(err) == "" {
		t.Errorf("a test beside no charm: %v, hint %q", err, kith.HintOf(err))
	}
	if len(m.Units("more")) != 0 || len(h.RelationUnits(id)) != 0 {
		t.Errorf("it happened: %v, %v", m.Units("more"), h.RelationUnits(id))
	}
}
