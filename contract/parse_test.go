package contract

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// Every refusal names the line.
func TestParseRefusals(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                           `cannot read "c.yaml": it is empty`,
		"interface: [":               `no YAML`,
		"version: 1":                 `"" is no interface name`,
		"interface: x\nversion: -1":  `line 2: version: a version is a whole number`,
		"interface: x\nstatus: new":  `line 2: status: "new" is none of draft, published, retired`,
		"interface: x\ncolour: red":  `line 2: colour: there is no such field`,
		"interface: x\ninterface: y": `line 1: interface: the key is there twice`,
		"interface: x\nprovider:\n  app:\n    keys:\n      a: {encoding: xml}":               `line 5: provider/app/keys/a/encoding: "xml" is none of raw, json`,
		"interface: x\nprovider:\n  app:\n    keys:\n      a: {schema: {type: strong}}":      `line 5: provider/app/keys/a/schema: no schema: at type`,
		"interface: x\nprovider:\n  app:\n    keys:\n      a: {schema: {$ref: '#/$defs/B'}}": `the reference "#/$defs/B" names nothing in the file`,
		"interface: x\nprovider:\n  app:\n    keys:\n      a: {via: [b]}":                    `it may come via "b", which is no key of the bag that may hold a secret`,
		"interface: x\nprovider: {app: {any-of: [[z]]}}":                                     `any-of: it names "z"`,
		"interface: &a x\nstatus: *a":                                                        `anchors and aliases are not taken`,
		"interface: x\n---\ninterface: y":                                                    `a second document follows`,
		"interface: x\nprovider: {app: {keys: {a: {required: true}}}}\nexamples:\n- {name: e, role: provider, bag: app, state: valid, data: {}}":             `line 4: examples/0: the example "e" is absent, not valid; missing: a`,
		"interface: x\nprovider: {app: {keys: {a: {schema: {const: b}}}}}\nexamples:\n- {name: e, role: provider, bag: app, state: violating, data: {a: c}}": `violates "a", and says`,
	} {
		_, err := Parse("c.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

// The schema of the form says what the parser takes, and refuses what it refuses.
func TestFormSchema(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "docs", "reference", "contract.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := decodeJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(schemaURL, doc); err != nil {
		t.Fatal(err)
	}
	form, err := compiler.Compile(schemaURL)
	if err != nil {
		t.Fatal(err)
	}
	samples := []string{shop, "interface: x", "{}", "[]", "interface: 'a b'",
		"interface: x\nversion: 1.5", "interface: x\nversion: -1", "interface: x\nversion: '1'", "interface: x\nstatus: new", "interface: x\nstatus: retired",
		"interface: x\ncolour: red", "interface: x\nignore: a", "interface: x\nignore: [a]", "interface: x\nprovider: {}", "interface: x\nprovider: {both: {}}",
		"interface: x\npeer: {app: {}}", "interface: x\npeer: {app: {closed: 'yes'}}", "interface: x\npeer: {either: {keys: {a: {}}}}",
		"interface: x\npeer: {app: {keys: {a: {encoding: xml}}}}", "interface: x\npeer: {app: {keys: {a: {encoding: json, schema: true}}}}",
		"interface: x\npeer: {app: {keys: {a: {schema: []}}}}", "interface: x\npeer: {app: {keys: {a: {secret: maybe}}}}",
		"interface: x\npeer: {app: {keys: {a: {secret: allowed}, b: {via: [a]}}}}", "interface: x\npeer: {app: {keys: {a: {dialect: '07', schema: {}}}}}",
		"interface: x\npeer: {app: {keys: {a: {dialect: '7', schema: {}}}}}",
		"interface: x\npeer: {app: {any-of: [a], keys: {a: {}}}}", "interface: x\npeer: {app: {any-of: [[a]], keys: {a: {}}}}",
		"interface: x\npeer: {app: {}}\nexamples: [{role: peer, bag: app, state: valid, data: {}}]",
		"interface: x\npeer: {app: {}}\nexamples: [{role: peer, bag: app, data: {}}]", "interface: x\nexamples: [{role: pear, bag: app, state: valid}]",
	}
	accepted := 0
	for _, sample := range samples {
		_, err := Parse("s.yaml", []byte(sample))
		var v any
		if yaml.Unmarshal([]byte(sample), &v) != nil {
			t.Fatal(sample)
		}
		asJSON, jsonErr := decodeJSON([]byte(encodeJSON(v)))
		if jsonErr != nil {
			t.Fatal(jsonErr)
		}
		if formErr := form.Validate(asJSON); (formErr == nil) != (err == nil) {
			t.Errorf("%s\nparser: %v\nschema: %v", sample, err, formErr)
		}
		if err == nil {
			accepted++
		}
	}
	if accepted < 8 || accepted > len(samples)-8 {
		t.Errorf("%d of %d samples are accepted: they tell little", accepted, len(samples))
	}
}
