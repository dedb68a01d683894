package contract

import (
	"strings"
	"testing"
)

// Each rule has a pair of contracts that breaks it, and the reverse of the pair does not
// break that same rule unless the rule goes both ways.
func TestBreakingRules(t *testing.T) {
	t.Parallel()
	key := func(s string) string { return "provider: {app: {keys: {k: {" + s + "}}}}" }
	json := func(s string) string { return key("encoding: json, schema: " + s) }
	tested := map[BreakRule]bool{}
	for _, test := range []struct {
		rule     BreakRule
		old, new string
		path     string
		mutual   bool // the reverse breaks the same rule
	}{
		{RoleRemoved, "provider: {}", "requirer: {}", "provider", false},
		{BagRemoved, "provider: {app: {}}", "provider: {unit: {}}", "provider/app", false},
		{BagClosed, "provider: {app: {}}", "provider: {app: {closed: true}}", "provider/app", false},
		{KeyRemoved, key(""), "provider: {app: {}}", "provider/app/k", false},
		{KeyReused, json("{type: integer}") + "\n", key("description: another, encoding: json, schema: {type: array}"), "provider/app/k", true},
		{RequiredAdded, key(""), key("required: true"), "provider/app/k", false},
		{RequiredAdded, "provider: {app: {}}", key("required: true"), "provider/app/k", false},
		{RequiredAdded, json("{properties: {a: {}}}"), json("{properties: {a: {}}, required: [a]}"), "provider/app/k/a", false},
		{RequiredDropped, key("required: true"), key(""), "provider/app/k", false},
		{EncodingChanged, key(""), key("encoding: json"), "provider/app/k", true},
		{TypeChanged, json("{type: integer}"), json("{type: array}"), "provider/app/k", true},
		{TypeChanged, json("{type: array, items: {type: object, properties: {p: {type: string}}}}"), json("{type: array, items: {type: object, properties: {p: {type: integer}}}}"), "provider/app/k/*/p", true},
		{TypeNarrowed, json("{type: [integer, 'null']}"), json("{type: integer}"), "provider/app/k", false},
		{TypeNarrowed, json("{type: number}"), json("{type: integer}"), "provider/app/k", false},
		{TypeWidened, json("{type: integer}"), json("{anyOf: [{type: integer}, {type: 'null'}]}"), "provider/app/k", false},
		{EnumNarrowed, key("schema: {enum: [a, b]}"), key("schema: {enum: [a]}"), "provider/app/k", false},
		{EnumNarrowed, key("schema: {type: string}"), key("schema: {type: string, enum: [a]}"), "provider/app/k", false},
		{EnumWidened, key("schema: {enum: [a]}"), key("schema: {enum: [a, b]}"), "provider/app/k", false},
		{BoundsNarrowed, json("{type: integer, maximum: 10}"), json("{type: integer, maximum: 9}"), "provider/app/k", false},
		{BoundsNarrowed, key("schema: {type: string}"), key("schema: {type: string, minLength: 1}"), "provider/app/k", false},
		{PatternChanged, key("schema: {type: string}"), key("schema: {type: string, pattern: '^a'}"), "provider/app/k", false},
		{PropertyClosed, json("{type: object}"), json("{type: object, additionalProperties: false}"), "provider/app/k", false},
		{PropertyRemoved, json("{properties: {a: {}, b: {}}}"), json("{properties: {a: {}}}"), "provider/app/k/b", false},
		{SecretIntroduced, key(""), key("secret: allowed"), "provider/app/k", false},
		{SecretWithdrawn, key("secret: only"), key(""), "provider/app/k", false},
	} {
		tested[test.rule] = true
		found := breaks(t, test.old, test.new)
		if !hasRule(found, test.rule, test.path) {
			t.Errorf("%s is not found from %s to %s: %v", test.rule, test.old, test.new, found)
		}
		if back := breaks(t, test.new, test.old); !test.mutual && hasRule(back, test.rule, test.path) {
			t.Errorf("%s is found from %s to %s: %v", test.rule, test.new, test.old, back)
		}
		if same := breaks(t, test.new, test.new); len(same) > 0 {
			t.Errorf("a contract breaks itself: %v", same)
		}
	}
	for _, rule := range BreakRules() {
		if !tested[rule.Rule] {
			t.Errorf("rule %s is not tested", rule.Rule)
		}
	}
}

func breaks(t *testing.T, older, newer string) []Break {
	t.Helper()
	var both [2]*Contract
	for i, text := range []string{older, newer} {
		c, err := Parse("c.yaml", []byte("interface: x\n"+strings.TrimSpace(text)))
		if err != nil {
			t.Fatal(err)
		}
		both[i] = c
	}
	found, err := Breaking(both[0], both[1])
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func hasRule(found []Break, rule BreakRule, path string) bool {
	for _, b := range found {
		if b.Rule == rule && b.Path == path {
			return true
		}
	}
	return false
}

// A key that is new and not required, or a new role, breaks nobody.
func TestBreakingNothing(t *testing.T) {
	t.Parallel()
	if found := breaks(t, "provider: {app: {keys: {a: {}}}}", "requirer: {}\nprovider: {app: {keys: {a: {}, b: {}}}, unit: {}}"); len(found) > 0 {
		t.Error(found)
	}
	if _, err := Breaking(&Contract{Interface: "a"}, &Contract{Interface: "b"}); err == nil {
		t.Error("two interfaces were compared")
	}
}
