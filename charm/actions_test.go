package charm

import (
	"reflect"
	"testing"

	"kith"
)

func backupAction(t testing.TB) Action {
	t.Helper()
	actions, err := ParseActions("actions.yaml", "frobnitz", []byte(`
backup:
  description: Make a backup.
  params:
    target: {type: string, default: /srv}
    level:  {type: integer, minimum: 0}
    opts:
      type: object
      properties:
        speed: {type: integer, default: 3}
  required: [target]
  additionalProperties: false
  parallel: true
  execution-group: io
`))
	if err != nil {
		t.Fatal(err)
	}
	return actions["backup"]
}

// Charm format reference, section 14: what an action is made of.
func TestParseActions(t *testing.T) {
	t.Parallel()
	a := backupAction(t)
	if a.Title != "backup" || a.Description != "Make a backup." || !a.Parallel || a.ExecutionGroup != "io" {
		t.Errorf("read as %+v", a)
	}
	want := map[string]any{
		"type": "object", "title": "backup", "description": "Make a backup.",
		"required": []any{"target"}, "additionalProperties": false,
		"properties": map[string]any{
			"target": map[string]any{"type": "string", "default": "/srv"},
			"level":  map[string]any{"type": "integer", "minimum": 0.0},
			"opts": map[string]any{"type": "object", "properties": map[string]any{
				"speed": map[string]any{"type": "integer", "default": 3.0},
			}},
		},
	}
	if !reflect.DeepEqual(a.Params, want) {
		t.Errorf("schema is %v\nwant %v", a.Params, want)
	}
	// Charms named juju-* may use reserved names.
	if _, err := ParseActions("actions.yaml", "juju-frob", []byte(`juju-go: {}`)); err != nil {
		t.Error(err)
	}
}

// Charm format reference, section 14: "Parameter validation at run", and row 117 of section 22.
func TestValidateParams(t *testing.T) {
	t.Parallel()
	a := backupAction(t)
	for _, test := range []struct {
		in   map[string]any
		want string
	}{
		{map[string]any{"target": "/x", "level": 2}, ""},
		{map[string]any{"target": "/x", "level": "high"}, `validation failed: (root).level : must be of type integer, given "high"`},
		{map[string]any{"target": 5}, `validation failed: (root).target : must be of type string, given 5`},
		{nil, `validation failed: (root) : "target" property is missing and required, given {}`},
		{map[string]any{"target": "/x", "colour": "red"}, `validation failed: (root) : additional property "colour" is not allowed, given {"colour":"red","target":"/x"}`},
		{map[string]any{"target": 5, "level": "x"}, `validation failed: (root).level : must be of type integer, given "x"; (root).target : must be of type string, given 5`},
		{map[string]any{"target": "/x", "opts": map[string]any{"speed": "x"}}, `validation failed: (root).opts.speed : must be of type integer, given "x"`},
		{map[string]any{"target": "/x", "level": -1}, `validation failed: (root).level : minimum: got -1, want 0, given -1`},
	} {
		err := a.ValidateParams(test.in)
		if text(err) != test.want {
			t.Errorf("%v:\n got %v\nwant %s", test.in, err, test.want)
		}
		if err != nil && kith.CodeOf(err) != kith.Invalid {
			t.Errorf("%v: code %s", test.in, kith.CodeOf(err))
		}
	}
	// Before 4.0 unknown parameters are accepted unless the charm says otherwise.
	open, err := ParseActions("actions.yaml", "frobnitz", []byte(`go: {}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := open["go"].ValidateParams(map[string]any{"x": 1}); err != nil {
		t.Error(err)
	}
}

// Charm format reference, section 14: "Defaults are filled in for absent properties, nested ones too".
func TestWithDefaults(t *testing.T) {
	t.Parallel()
	a := backupAction(t)
	in := map[string]any{"level": 1}
	got := a.WithDefaults(in)
	want := map[string]any{"level": 1, "target": "/srv", "opts": map[string]any{"speed": 3.0}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(in) != 1 {
		t.Errorf("the argument was changed to %v", in)
	}
	got = a.WithDefaults(map[string]any{"opts": map[string]any{"speed": 9}, "target": "/x"})
	if want := (map[string]any{"opts": map[string]any{"speed": 9}, "target": "/x"}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
