package contract

import (
	"testing"

	"kith"
)

// Each dialect means what it means: what one draft calls a schema, the next may not.
func TestDialects(t *testing.T) {
	t.Parallel()
	const (
		d04 = "http://json-schema.org/draft-04/schema#"
		d07 = "http://json-schema.org/draft-07/schema"
		d19 = "https://json-schema.org/draft/2019-09/schema"
		d20 = "https://json-schema.org/draft/2020-12/schema"
	)
	for _, test := range []struct{ name, dialect, schema, right, wrong string }{
		{"an exclusive limit is a flag", d04, `{"type":"integer","minimum":3,"exclusiveMinimum":true}`, "4", "3"},
		{"an exclusive limit is a number", d07, `{"type":"integer","exclusiveMinimum":3}`, "4", "3"},
		{"definitions", d04, `{"$ref":"#/definitions/N"}`, "3", `"3"`},
		{"definitions", d07, `{"$ref":"#/definitions/N"}`, "3", `"3"`},
		{"$defs", d19, `{"$ref":"#/$defs/N"}`, "3", `"3"`},
		{"$defs", d20, `{"$ref":"#/$defs/N"}`, "3", `"3"`},
		{"beside a reference nothing counts", d07, `{"$ref":"#/definitions/N","maximum":2}`, "3", `"3"`},
		{"beside a reference all counts", d19, `{"$ref":"#/$defs/N","maximum":2}`, "2", "3"},
		{"beside a reference all counts", d20, `{"$ref":"#/$defs/N","maximum":2}`, "2", "3"},
		{"items by place", d04, `{"type":"array","items":[{"type":"integer"}],"additionalItems":false}`, "[1]", `[1,2]`},
		{"items by place", d07, `{"type":"array","items":[{"type":"integer"}],"additionalItems":false}`, "[1]", `["a"]`},
		{"items by place", d19, `{"type":"array","items":[{"type":"integer"}]}`, "[1]", `["a"]`},
		{"items by place", d20, `{"type":"array","prefixItems":[{"type":"integer"}],"items":false}`, "[1]", `[1,2]`},
		{"constants", d07, `{"const":3}`, "3", "4"},
		{"conditions", d07, `{"type":"integer","if":{"minimum":5},"then":{"multipleOf":5}}`, "10", "6"},
		{"what needs what", d07, `{"type":"object","dependencies":{"a":["b"]}}`, `{"a":1,"b":2}`, `{"a":1}`},
		{"what needs what", d19, `{"type":"object","dependentRequired":{"a":["b"]}}`, `{"a":1,"b":2}`, `{"a":1}`},
		{"the rest", d19, `{"type":"object","allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false}`, `{"a":1}`, `{"b":1}`},
		{"the rest", d20, `{"type":"object","allOf":[{"properties":{"a":true}}],"unevaluatedProperties":false}`, `{"a":1}`, `{"b":1}`},
		{"JSON in a string", d07, `{"type":"string","contentMediaType":"application/json","contentSchema":{"$ref":"#/definitions/N"}}`, "3", `"3"`},
		{"JSON in a string", d19, `{"type":"string","contentMediaType":"application/json","contentSchema":{"$ref":"#/$defs/N"}}`, "3", `"3"`},
		{"JSON in a string", d20, `{"type":"string","contentMediaType":"application/json","contentSchema":{"$ref":"#/$defs/N"}}`, "3", `"3"`},
	} {
		t.Run(test.dialect[len("http://json-schema.org/"):]+" "+test.name, func(t *testing.T) {
			t.Parallel()
			text := `{"$schema":"` + test.dialect + `","definitions":{"N":{"type":"integer"}},"$defs":{"N":{"type":"integer"}},"properties":{"app":{"type":"object","properties":{"k":` + test.schema + `}}}}`
			k, i := keyOf(t, text)
			if k.Unchecked != "" || k.Encoding != JSON {
				t.Fatalf("%+v %v", k, i.Notes)
			}
			checker, err := i.Contract.Compile()
			if err != nil {
				t.Fatal(err)
			}
			for value, want := range map[string]State{test.right: Valid, test.wrong: Violating} {
				if v := checker.CheckBag(kith.Provider, AppBag, map[string]string{"k": value}); v.State != want {
					t.Errorf("%s: %s, want %s", value, verdictText(v), want)
				}
			}
		})
	}
}

// A dialect nobody knows is refused: its words could mean anything.
func TestUnknownDialect(t *testing.T) {
	t.Parallel()
	for _, dialect := range []string{`"https://example.com/schema"`, `3`, `"http://json-schema.org/draft-99/schema"`} {
		i := ImportFile(File{"x/v0/provider.json", []byte(`{"$schema":` + dialect + `,"properties":{"app":{"properties":{"k":{}}}}}`)})
		if i.Refused == "" {
			t.Errorf("%s is taken", dialect)
		}
	}
}
