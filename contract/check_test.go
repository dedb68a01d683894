package contract

import (
	"fmt"
	"strings"
	"testing"

	"kith"
)

// shop is a contract that has one of everything.
const shop = `
interface: shop
version: 2
status: draft
ignore: [data]
$defs:
  Item:
    type: object
    required: [name, price]
    properties:
      name: {type: string, minLength: 1}
      price: {type: integer, minimum: 0}
provider:
  app:
    closed: true
    keys:
      items:
        encoding: json
        required: true
        schema: {type: array, items: {$ref: "#/$defs/Item"}}
      endpoint: {required: true, schema: {type: string, pattern: "^[a-z.]+:[0-9]+$"}}
      password: {required: true, via: [secret-user], schema: {type: string, minLength: 8}}
      secret-user: {secret: only}
      mode: {schema: {enum: [open, shut]}}
      extra: {encoding: json, schema: {anyOf: [{type: array, items: {type: string}}, {type: "null"}]}}
requirer:
  unit:
    optional: true
    any-of: [[a, b], [c]]
    keys: {a: {}, b: {}, c: {}, d: {}}
`

func shopChecker(t testing.TB) *Checker {
	t.Helper()
	return checkerOf(t, shop)
}

// verdictText is a verdict in the words of the tables below.
func verdictText(v Verdict) string {
	parts := []string{string(v.State)}
	if len(v.Missing) > 0 {
		parts = append(parts, "missing "+strings.Join(v.Missing, ","))
	}
	for _, found := range v.Violations {
		parts = append(parts, found.String())
	}
	for _, note := range v.Unchecked {
		parts = append(parts, "unchecked "+note.String())
	}
	return strings.Join(parts, "; ")
}

const goodSecret = "secret:d2fjn1fmp25004or68b0"

func TestCheckBag(t *testing.T) {
	t.Parallel()
	checker := shopChecker(t)
	for name, test := range map[string]struct {
		bag  map[string]string
		want string
	}{
		"nothing":        {nil, "absent; missing endpoint,items,password"},
		"engine's keys":  {map[string]string{"ingress-address": "10.0.0.1", "egress-subnets": "x", "private-address": "y", "data": "{"}, "absent; missing endpoint,items,password"},
		"set to nothing": {map[string]string{"items": ""}, "absent; missing endpoint,items,password"},
		"begun":          {map[string]string{"items": "[]"}, "partial; missing endpoint,password"},
		"all there":      {map[string]string{"items": `[{"name":"a","price":3}]`, "endpoint": "a.b:80", "password": "longenough"}, "valid"},
		"by a secret":    {map[string]string{"items": "[]", "endpoint": "a:1", "secret-user": goodSecret}, "valid"},
		"no secret":      {map[string]string{"items": "[]", "endpoint": "a:1", "secret-user": "joe"}, `violating; missing password; secret-user: "joe": it must be a reference to a secret: secret:ID (secret)`},
		"deep": {map[string]string{"items": `[{"name":"a","price":3},{"name":"","price":"x"}]`},
			`violating; missing endpoint,password; items/1/name: "": it must have at least 1 characters (minLength); items/1/price: "x": it must be of type integer (type)`},
		"lacks inside":  {map[string]string{"items": `[{"name":"a"}]`}, `violating; missing endpoint,password; items/0: an object of 1: it lacks "price" (required)`},
		"no JSON":       {map[string]string{"items": `a,b`}, `violating; missing endpoint,password; items: "a,b": it must be JSON: no JSON, at byte 1: invalid character 'a' looking for beginning of value (encoding)`},
		"more than one": {map[string]string{"items": `[] []`}, `violating; missing endpoint,password; items: "[] []": it must be JSON: something follows the JSON value, at byte 4 (encoding)`},
		"pattern":       {map[string]string{"endpoint": "A B"}, `violating; missing items,password; endpoint: "A B": it must match ^[a-z.]+:[0-9]+$ (pattern)`},
		"enumeration":   {map[string]string{"mode": "ajar"}, `violating; missing endpoint,items,password; mode: "ajar": it must be one of ["open","shut"] (enum)`},
		"choice":        {map[string]string{"extra": `["a",1]`}, `violating; missing endpoint,items,password; extra/1: 1: it must be of type string (type)`},
		"null":          {map[string]string{"extra": `null`}, `partial; missing endpoint,items,password`},
		"unknown":       {map[string]string{"other": "x"}, `violating; missing endpoint,items,password; other: "x": the contract knows no such key (closed)`},
		"masked":        {map[string]string{"password": "short"}, `violating; missing endpoint,items; password: (not shown): it must have at least 8 characters (minLength)`},
		"huge number":   {map[string]string{"items": `[{"name":"a","price":1e999999999}]`}, `violating; missing endpoint,password; items: "[{\"name\":\"a\",\"price\":1e999999999}]": it must be JSON: the number 1e999999999 has an exponent beyond 400 (encoding)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := verdictText(checker.CheckBag(kith.Provider, AppBag, test.bag)); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

// A group of keys, one of which must be complete, in a bag that may stay empty.
func TestCheckGroups(t *testing.T) {
	t.Parallel()
	checker := shopChecker(t)
	for bag, want := range map[string]string{
		"": "valid", "d": "partial; missing a,b", "a": "partial; missing b", "a b": "valid", "c": "valid", "c a": "valid",
	} {
		data := map[string]string{}
		for _, name := range strings.Fields(bag) {
			data[name] = "x"
		}
		if got := verdictText(checker.CheckBag(kith.Requirer, UnitBag, data)); got != want {
			t.Errorf("%q: got %s, want %s", bag, got, want)
		}
	}
}

// What the contract does not speak of is nobody's mistake.
func TestCheckNothingSaid(t *testing.T) {
	t.Parallel()
	checker := shopChecker(t)
	if got := verdictText(checker.CheckBag(kith.Peer, AppBag, map[string]string{"a": "b"})); got != "valid; unchecked the contract says nothing about the peer" {
		t.Error(got)
	}
	if got := verdictText(checker.CheckBag(kith.Provider, UnitBag, map[string]string{"a": "b"})); got != "valid" {
		t.Error(got)
	}
}

// Keys of which the source does not say where they are are looked for in both bags.
func TestCheckEither(t *testing.T) {
	t.Parallel()
	c, err := Parse("x.yaml", []byte("interface: x\nprovider: {either: {closed: true, keys: {a: {required: true}, b: {encoding: json, schema: {type: integer}}}}}"))
	if err != nil {
		t.Fatal(err)
	}
	checker, err := c.Compile()
	if err != nil {
		t.Fatal(err)
	}
	_, _, either := checker.CheckSide(kith.Provider, map[string]string{"b": "1"}, map[string]string{"a": "x"})
	if got := verdictText(either); got != "valid" {
		t.Error(got)
	}
	_, _, either = checker.CheckSide(kith.Provider, map[string]string{"b": "1"}, nil)
	if got := verdictText(either); got != "partial; missing a" {
		t.Error(got)
	}
	alone := checker.CheckBag(kith.Provider, UnitBag, map[string]string{"b": "x", "c": "y"})
	if got := verdictText(alone); !strings.HasPrefix(got, "violating; b: ") || !strings.Contains(got, "c: ") || strings.Contains(got, "missing") {
		t.Error(got)
	}
}

// Neither the value nor the words about it show a secret.
func TestMask(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ key, value string }{
		{"password", "hunter2!"}, {"tls-private-key", "hunter2!"}, {"uris", "hunter2!"}, {"access_token", "hunter2!"},
		{"endpoint", "postgresql://joe:hunter2!@db:5432/x"}, {"note", "-----BEGIN RSA PRIVATE KEY-----\nhunter2!"},
		{"config", `{"password":"hunter2!"}`}, {"config", `{"a":{"api-token":"hunter2!"}}`},
	} {
		encoding, schema := "raw", "{const: x}"
		if test.key == "config" {
			encoding, schema = "json", "{properties: {password: {enum: [x]}, a: {additionalProperties: {pattern: '^x'}}}}"
		}
		text := fmt.Sprintf("interface: x\nprovider: {app: {keys: {%s: {encoding: %s, schema: %s}}}}", test.key, encoding, schema)
		c, err := Parse("x.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		checker, err := c.Compile()
		if err != nil {
			t.Fatal(err)
		}
		v := checker.CheckBag(kith.Provider, AppBag, map[string]string{test.key: test.value})
		if v.State != Violating || strings.Contains(verdictText(v), "hunter2") {
			t.Errorf("%s: %s", test.key, verdictText(v))
		}
	}
}

// Interface names compare with - and _ folded.
func TestSameInterface(t *testing.T) {
	t.Parallel()
	if !SameInterface("tls-certificates", "tls_certificates") || SameInterface("tls-certificates", "tlscertificates") {
		t.Error("names do not fold as they should")
	}
}
