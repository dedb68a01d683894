package contract

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"kith"
)

// samplesOf are bags of two databases and three clients, as a running model has them.
func samplesOf() []Sample {
	address := func(s string) map[string]string {
		return map[string]string{"ingress-address": s, "egress-subnets": s + "/32", "private-address": s}
	}
	return []Sample{
		{Role: kith.Provider, Bag: AppBag, Owner: "db", Step: true, Data: map[string]string{"name": "shop"}},
		{Role: kith.Provider, Bag: AppBag, Owner: "db", Data: map[string]string{
			"name": "shop", "port": "5432", "tls": "true", "secret-user": "secret:d2fjn1fmp25004or6aaa", "id": "12345678901234567890",
			"hosts": `[{"host":"10.0.0.1","port":5432,"password":"hunter2!"}]`, "uris": "postgresql://joe:hunter2!@db:5432/x", "weights": `{"a/0":1,"a/1":0.5}`,
		}},
		{Role: kith.Provider, Bag: AppBag, Owner: "db2", Data: map[string]string{
			"name": "'x'", "port": "5433", "tls": "false", "secret-user": "secret:d2fjn1fmp25004or6aab", "id": "22345678901234567890",
			"hosts": `[{"host":"10.0.0.2","port":null,"password":"hunter2!","note":"postgresql://joe:hunter2!@x"},{"host":"a","port":1,"password":"hunter2!"}]`,
			"uris":  "postgresql://db", "extra": `"quoted"`, "weights": `{"b/0":1}`, "long": strings.Repeat("x", 1000),
		}},
		{Role: kith.Provider, Bag: UnitBag, Owner: "db/0", Data: address("10.0.0.1")},
		{Role: kith.Requirer, Bag: UnitBag, Owner: "web/0", Data: map[string]string{"ready": "yes", "key": "-----BEGIN RSA PRIVATE KEY-----\nhunter2!"}},
		{Role: kith.Requirer, Bag: UnitBag, Owner: "web/1", Data: address("10.0.0.2")},
	}
}

func TestInfer(t *testing.T) {
	t.Parallel()
	c, notes, err := Infer("shop", samplesOf())
	if err != nil {
		t.Fatal(err)
	}
	text := string(c.YAML())
	if strings.Contains(text, "hunter2") || strings.Contains(text, "6aaa") {
		t.Error("a secret shows")
	}
	for _, n := range notes {
		text += "# " + n.String() + "\n"
	}
	golden(t, "inferred.yaml", text)
}

// What was seen fits what is drafted of it.
func TestInferFits(t *testing.T) {
	t.Parallel()
	c, _, err := Infer("shop", samplesOf())
	if err != nil {
		t.Fatal(err)
	}
	checker, err := c.Compile()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samplesOf() {
		v := checker.CheckBag(s.Role, s.Bag, s.Data)
		if v.State == Violating || !s.Step && v.State != Valid {
			t.Errorf("%s: %s", s.Owner, verdictText(v))
		}
	}
	// What is drafted says something: other data breaks it.
	for key, value := range map[string]string{"port": "x", "tls": "3", "hosts": `[{"host":1}]`, "weights": `{"a/0":"x"}`, "secret-user": "joe", "extra": "bare"} {
		if v := checker.CheckBag(kith.Provider, AppBag, map[string]string{key: value}); v.State != Violating {
			t.Errorf("%s=%s: %s", key, value, verdictText(v))
		}
	}
}

// How values are read: each line is what was seen of a key, and the encoding and type of it.
func TestInferKeys(t *testing.T) {
	t.Parallel()
	for seen, want := range map[string]string{
		"a|b": "raw string", "8080|8081": "json integer unsure", "1|1.5": "json number unsure", "true|false": "json boolean unsure", "true|1": "raw string",
		"null": "raw string", "null|[1]": "json array or null", `"a"|"b"`: "json string", `"a"|5`: "json integer or string", "1|a": "raw string", "007": "raw string",
		`{"a":1}|{"a":2}`: "json object", `[1]|x`: "raw string", "1234567890123456": "raw string", "secret:d2fjn1fmp25004or68b0": "raw secret",
		"secret:d2fjn1fmp25004or68b0|plain": "raw string", "1e400": "json number unsure", "1e999": "raw string",
	} {
		var samples []Sample
		for _, v := range strings.Split(seen, "|") {
			samples = append(samples, Sample{Role: kith.Peer, Bag: AppBag, Data: map[string]string{"k": v}})
		}
		c, notes, err := Infer("x", samples)
		if err != nil {
			t.Fatal(err)
		}
		k, _ := c.Peer.App.Key("k")
		got := fmt.Sprintf("%s %s", k.Encoding, k.Type())
		for _, n := range notes {
			if strings.Contains(n.Text, "reads as JSON and as plain text") {
				got += " unsure"
			}
		}
		if got != want || !k.Required {
			t.Errorf("%s: got %s, want %s", seen, got, want)
		}
	}
}

func TestInferRefusals(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range MaxKeys + 1 {
		many[fmt.Sprint("k", i)] = "x"
	}
	bag := func(data map[string]string) []Sample { return []Sample{{Role: kith.Peer, Bag: UnitBag, Data: data}} }
	for _, test := range []struct {
		name    string
		samples []Sample
		want    string
	}{
		{"a b", samplesOf(), `"a b" is no interface name`},
		{"x", nil, "nobody has written anything"},
		{"x", bag(map[string]string{"ingress-address": "10.0.0.1"}), "nobody has written anything"},
		{"x", bag(many), "have 501 keys, at most 500 are taken"},
	} {
		if _, _, err := Infer(test.name, test.samples); kith.CodeOf(err) != kith.Invalid || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

// FuzzInfer: whatever was seen, the draft loads again as the same, and what was seen fits it.
func FuzzInfer(f *testing.F) {
	f.Add("a", `{"b":[1,"x",null]}`, `{"b":[],"c/0":{"d":1e5}}`, "secret:d2fjn1fmp25004or68b0")
	f.Add("password", "x", "8080", "true")
	f.Add("k", strings.Repeat("[", 60)+strings.Repeat("]", 60), `{"":1}`, `{"x":{"y/1":{"a":1}},"z":2}`)
	f.Fuzz(func(t *testing.T, key, a, b, c string) {
		samples := []Sample{
			{Role: kith.Provider, Bag: AppBag, Owner: a, Data: map[string]string{key: a, "other": b}},
			{Role: kith.Provider, Bag: AppBag, Owner: b, Data: map[string]string{key: b}, Step: true},
			{Role: kith.Provider, Bag: AppBag, Owner: c, Data: map[string]string{key: c, "other": a}},
		}
		draft, _, err := Infer("x", samples)
		if err != nil {
			return
		}
		again, err := Parse("x.yaml", draft.YAML())
		if err != nil {
			t.Fatalf("%v\n%s", err, draft.YAML())
		}
		if !reflect.DeepEqual(again, draft) {
			t.Fatalf("read again, it differs:\n%s\n%s", encodeJSON(draft), encodeJSON(again))
		}
		checker, err := again.Compile()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range samples {
			if v := checker.CheckBag(s.Role, s.Bag, s.Data); v.State == Violating {
				t.Fatalf("%v breaks what was drafted of it: %s", s.Data, verdictText(v))
			}
		}
	})
}
