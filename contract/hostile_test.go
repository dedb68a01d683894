package contract

import (
	"fmt"
	"strings"
	"testing"

	"kith"
)

// doubling is a schema in which every definition names the next one twice: written
// out it has 2^n parts.
func doubling(n int) string {
	var b strings.Builder
	b.WriteString(`{"$defs":{`)
	for i := range n {
		fmt.Fprintf(&b, `"D%d":{"allOf":[{"$ref":"#/$defs/D%d"},{"$ref":"#/$defs/D%d"}]},`, i, i+1, i+1)
	}
	fmt.Fprintf(&b, `"D%d":{"type":"string"}},"properties":{"app":{"type":"object","properties":{"k":{"$ref":"#/$defs/D0"}}}}}`, n)
	return b.String()
}

// keyOf reads a schema file and returns what came of the key k of the app bag.
func keyOf(t *testing.T, text string) (Key, Import) {
	t.Helper()
	i := ImportFile(File{"hostile/v0/provider.json", []byte(text)})
	if i.Contract == nil {
		t.Fatalf("refused: %s", i.Refused)
	}
	k, ok := i.Contract.Side(kith.Provider).Bag(AppBag).Key("k")
	if !ok {
		t.Fatal("there is no key k")
	}
	return k, i
}

// What could take for ever is not checked, and says why.
func TestHostileSchemas(t *testing.T) {
	t.Parallel()
	app := func(schema, defs string) string {
		return `{"$defs":{` + defs + `},"properties":{"app":{"type":"object","properties":{"k":` + schema + `}}}}`
	}
	for name, test := range map[string]struct{ text, want string }{
		"references that double":    {doubling(40), "the schema is too large: more than 5000 values"},
		"a reference to itself":     {app(`{"$ref":"#/$defs/A"}`, `"A":{"$ref":"#/$defs/A"}`), `the reference "#/$defs/A" leads to itself`},
		"a circle":                  {app(`{"$ref":"#/$defs/A"}`, `"A":{"$ref":"#/$defs/B"},"B":{"$ref":"#/$defs/A"}`), "leads to itself"},
		"a circle below not":        {app(`{"type":"string","not":{"$ref":"#/$defs/A"}}`, `"A":{"properties":{"a":{"$ref":"#/$defs/A"}}}`), "leads to itself"},
		"a remote reference":        {app(`{"$ref":"https://example.com/x.json"}`, ``), "leads out of the file, and nothing is fetched"},
		"a file":                    {app(`{"$ref":"file:///etc/passwd"}`, ``), "leads out of the file, and nothing is fetched"},
		"a dynamic reference":       {app(`{"type":"string","$dynamicRef":"#x"}`, ``), "dynamic references are not followed"},
		"nowhere":                   {app(`{"$ref":"#/$defs/Z"}`, ``), "names nothing in the file"},
		"too deep":                  {app(strings.Repeat(`{"type":"array","items":`, 90)+`true`+strings.Repeat(`}`, 90), ``), ""},
		"an exponent in a schema":   {app(`{"type":"integer","minimum":1}`, `"A":{"multipleOf":1e300}`), "-"},
		"a pattern below not":       {app(`{"type":"string","not":{"pattern":"(a)\\1"}}`, ``), "cannot be matched in linear time"},
		"a schema that is a number": {app(`3`, ``), "is a number, not a schema"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, i := keyOf(t, test.text)
			switch test.want {
			case "-":
				if k.Unchecked != "" {
					t.Error(k.Unchecked)
				}
			case "":
				if len(i.Notes) == 0 {
					t.Error("nothing is said about what is not checked")
				}
			default:
				if !strings.Contains(k.Unchecked, test.want) {
					t.Errorf("got %q, want %q", k.Unchecked, test.want)
				}
			}
		})
	}
}

// Where a part cannot be checked and leaving it out only lets more pass, the rest is checked.
func TestHostileParts(t *testing.T) {
	t.Parallel()
	k, i := keyOf(t, `{"$defs":{"Tree":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"below":{"type":"array","items":{"$ref":"#/$defs/Tree"}}}}},
		"properties":{"app":{"type":"object","properties":{"k":{"$ref":"#/$defs/Tree"}}}}}`)
	if k.Unchecked != "" || len(i.Notes) != 1 || !strings.Contains(i.Notes[0].Text, "leads to itself") {
		t.Fatalf("%+v %v", k, i.Notes)
	}
	checker, err := i.Contract.Compile()
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]State{
		`{"name":"a","below":[{"name":"b"}]}`: Valid, `{"below":[]}`: Violating, `{"name":"a","below":[{"below":3}]}`: Valid,
	} {
		if got := checker.CheckBag(kith.Provider, AppBag, map[string]string{"k": value}); got.State != want {
			t.Errorf("%s: %s, want %s", value, verdictText(got), want)
		}
	}
	// A name's pattern that is left out takes "and nothing else" with it.
	k, _ = keyOf(t, `{"properties":{"app":{"type":"object","properties":{"k":{"type":"object","patternProperties":{"^(?!a)":{"type":"string"}},"additionalProperties":false}}}}}`)
	if schema := encodeJSON(k.Schema); schema != `{"patternProperties":{},"type":"object"}` {
		t.Error(schema)
	}
}

func TestPatternLimits(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"^[a-z]{1,20}$": "", `(?=a)`: "cannot be matched in linear time", `(((a{10}){10}){10}){10}`: "cannot be matched",
		`(([a-z]{9}b){10}c){3}`: "", `([a-z]{9}b){90}([a-z]{9}b){90}([a-z]{9}b){90}`: "too large",
		`(?i)straße`: "folds the case of more than ASCII", `(?i)[A-\x{1e942}]`: "folds the case", `(?i)^[a-z]+$`: "", `straße`: "", strings.Repeat("a", MaxPatternBytes+1): "longer than",
	} {
		size, err := patternSize(pattern)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %d, %v; want %q", clip(pattern), size, err, want)
		}
	}
}

// A value that is too large for its schema is reported, not checked.
func TestWorkLimit(t *testing.T) {
	t.Parallel()
	c, err := Parse("x.yaml", []byte("interface: x\nprovider: {app: {keys: {k: {encoding: json, schema: {items: {anyOf: [{pattern: '([a-z]{9}b){90}'}, {type: integer}]}}}}}}"))
	if err != nil {
		t.Fatal(err)
	}
	checker, err := c.Compile()
	if err != nil {
		t.Fatal(err)
	}
	big := "[" + strings.TrimSuffix(strings.Repeat(`"aaaaaaaaab",`, 100000), ",") + "]"
	v := checker.CheckBag(kith.Provider, AppBag, map[string]string{"k": big})
	if v.State != Valid || len(v.Unchecked) != 1 || !strings.Contains(v.Unchecked[0].Text, "too large for its schema") {
		t.Error(verdictText(v))
	}
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	if got := verdictText(checker.CheckBag(kith.Provider, AppBag, map[string]string{"k": deep})); !strings.Contains(got, "it nests deeper than 100 levels") {
		t.Error(got)
	}
}

// The work is bounded for a bag, not only for each of its values: many that are just not too large
// are as bad as one that is.
func TestWorkLimitOfBag(t *testing.T) {
	t.Parallel()
	var keys, big strings.Builder
	for i := range 20 {
		fmt.Fprintf(&keys, "k%02d: {encoding: json, schema: {items: {pattern: '([a-z]{9}b){90}'}}}, ", i)
	}
	big.WriteString("[")
	for range 1500 {
		big.WriteString(`"aaaaaaaaab",`)
	}
	c, err := Parse("x.yaml", []byte("interface: x\nprovider: {app: {keys: {"+keys.String()+"}}}"))
	if err != nil {
		t.Fatal(err)
	}
	checker, err := c.Compile()
	if err != nil {
		t.Fatal(err)
	}
	bag := map[string]string{}
	for i := range 20 {
		bag[fmt.Sprintf("k%02d", i)] = strings.TrimSuffix(big.String(), ",") + "]"
	}
	v := checker.CheckBag(kith.Provider, AppBag, bag)
	if n := len(v.Unchecked); n == 0 || n == 20 || !strings.Contains(v.Unchecked[0].Text, "too large for its schema") {
		t.Errorf("%d of 20 keys are not checked: %s", n, verdictText(v))
	}
}

// A bag with very many mistakes names the first of them.
func TestViolationLimit(t *testing.T) {
	t.Parallel()
	bag := map[string]string{"items": "[" + strings.Repeat("1,", 1000) + "1]"}
	v := shopChecker(t).CheckBag(kith.Provider, AppBag, bag)
	if len(v.Violations) != MaxViolations {
		t.Errorf("%d violations", len(v.Violations))
	}
}

// Files as large as are read, made to be slow, are not.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	many := func(n int, line string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(line, "#", fmt.Sprint(i)))
		}
		return b.String()
	}
	wide := `{"type":"string","enum":[` + many(4000, `"#",`) + `""]}`
	for name, test := range map[string]struct{ path, text, want string }{
		"very many keys":     {"a/v0/provider.json", `{"properties":{` + many(60000, `"k#":{},`) + `"z":{}}}`, "at most 500 are taken"},
		"required keys":      {"a/v0/provider.json", `{"properties":{},"required":[` + many(80000, `"k#",`) + `"z"]}`, "at most 500 are taken"},
		"one definition":     {"a/v0/provider.json", `{"$defs":{"W":` + wide + `},"properties":{` + strings.ReplaceAll(many(400, `"k#":{"$ref":"@/$defs/W"},`), "@", "#") + `"z":{"$ref":"#/$defs/W"}}}`, "more than 20000 values together"},
		"keys in a contract": {"c.yaml", "interface: x\nprovider:\n  app:\n    keys:\n" + many(20000, "      k#: {}\n"), "at most 500 are taken"},
		"doubling bases":     {"a/v0/schema.py", many(60, "class C#(D#, D#):\n    a: str\nclass D#(C#, C#):\n    b: int\n") + "class ProviderSchema(C1, D1, C2):\n    app: C1\n", ""},
		"fields of a class":  {"a/v0/schema.py", "class ProviderSchema:\n" + many(40000, "    f#: str\n"), "more than 500 classes, or fields in one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := ImportFile(File{test.path, []byte(test.text)})
			said := i.Refused
			for _, n := range i.Notes {
				said += n.Text
			}
			if test.want != "" && !strings.Contains(said, test.want) {
				t.Errorf("%s, want %q", clip(said), test.want)
			}
		})
	}
}

// FuzzImport feeds anything under any name to the importers.
func FuzzImport(f *testing.F) {
	f.Add("a/v0/provider.json", doubling(12), "x")
	f.Add("a/v0/provider.json", `{"properties":{"app":{"properties":{"a":{"type":"array","items":{"$ref":"#"}}}}}}`, `[1]`)
	f.Add("a/v0/interface.yaml", "name: a\nversion: 0\nstatus: draft", "")
	f.Fuzz(hostileFile)
}

// FuzzGenerated feeds anything to the importer of JSON Schemas with roots, in every dialect.
func FuzzGenerated(f *testing.F) {
	for _, dialect := range []string{"http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema", "https://json-schema.org/draft/2019-09/schema", ""} {
		f.Add(`{"$schema":"`+dialect+`","$defs":{"A":{"type":"object","properties":{"n":{"type":"integer","minimum":3}}}},"properties":{"app":{"anyOf":[{"$ref":"#/$defs/A"},{"type":"null"}]},`+
			`"unit":{"properties":{"j":{"type":"string","contentMediaType":"application/json","contentSchema":{"items":[{"$ref":"#/$defs/A"}]}}},"required":["j","k"]}}}`, `[{"n":2}]`)
	}
	f.Fuzz(func(t *testing.T, text, value string) { hostileFile(t, "a/v1/provider.json", text, value) })
}

// FuzzWritten feeds anything to the importer of schemas written by hand.
func FuzzWritten(f *testing.F) {
	f.Add(`{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"a":{"type":"integer","minimum":3,"exclusiveMinimum":true}},"patternProperties":{"^(?!a)":{}},"anyOf":[{"required":["a"]}],"examples":[{"a":1}]}`, `3`)
	f.Add(`{"properties":{"application-data":{"type":"object","properties":{"a":{"default":1,"type":"string"}},"urls":{"type":"array"}},"related-units":{}}}`, `x`)
	f.Fuzz(func(t *testing.T, text, value string) { hostileFile(t, "a/v1/schemas/requirer.json", text, value) })
}

// FuzzInterface feeds anything to the importer of interface.yaml.
func FuzzInterface(f *testing.F) {
	f.Add("name: a\nversion: 0\nstatus: draft")
	f.Add("name: [a]\nversion: '1'\nstatus: *x")
	f.Fuzz(func(t *testing.T, text string) { hostileFile(t, "a/v0/interface.yaml", text, "") })
}

// FuzzPydantic feeds anything to the reader of schema.py.
func FuzzPydantic(f *testing.F) {
	f.Add(greeter, `[1]`)
	f.Add("class A(BaseModel):\n    a: Optional[List[int]] = Field(None, description='x')\nclass ProviderSchema(DataBagSchema):\n    app: A\n", "[1]")
	f.Add("class E(str, Enum):\n  a = 'x'\n  b, c = 1, 2\nclass ProviderSchema(E, extra='forbid'):\n  model_config = ConfigDict(x=1)\n  class Config:\n    y = 2\n  app: Annotated[Literal['a', 1] | None, Field(ge=1e9)] = ...\n", "x")
	f.Fuzz(func(t *testing.T, text, value string) { hostileFile(t, "a/v0/schema.py", text, value) })
}

// FuzzParse feeds anything to the reader of kith's own form. What it takes is written and
// read again as the same.
func FuzzParse(f *testing.F) {
	f.Add(shop, `[{"name":"a","price":1e400}]`)
	f.Add("interface: x\nprovider: {either: {closed: true, keys: {a: {secret: only}, b: {via: [a], encoding: json, schema: {oneOf: [{const: 1.50}]}}}}}", "1.5")
	f.Fuzz(func(t *testing.T, text, value string) {
		hostileFile(t, "c.yaml", text, value)
		c, err := Parse("c.yaml", []byte(text))
		if err != nil {
			return
		}
		again, err := Parse("c.yaml", c.YAML())
		if err != nil || encodeJSON(again) != encodeJSON(c) {
			t.Fatalf("written and read again, it differs: %v\n%s\n%s", err, encodeJSON(c), encodeJSON(again))
		}
	})
}

// FuzzReadBags feeds anything to the reader of databags and of what show-unit prints.
func FuzzReadBags(f *testing.F) {
	f.Add("a: b\nc: [1]")
	f.Add("web/0:\n  charm: x\n  relation-info:\n  - {relation-id: 1, endpoint: a, application-data: {b: c}, local-unit: {data: {d: e}}, related-units: {db/0: {data: {f: g}}}}")
	f.Fuzz(func(t *testing.T, text string) {
		bags, err := ReadBags("bag.yaml", []byte(text))
		if err == nil && len(bags) > 0 {
			Endpoints(bags)
		}
	})
}

// hostileFile reads a file, and whatever comes out is fed a value: nothing may panic, hang,
// or be refused by Compile after it was taken.
func hostileFile(t *testing.T, path, text, value string) {
	i := ImportFile(File{path, []byte(text)})
	if (i.Contract == nil) == (i.Refused == "") {
		t.Fatalf("neither loaded nor refused, or both: %+v", i)
	}
	if i.Contract == nil {
		return
	}
	checker, err := i.Contract.Compile()
	if err != nil {
		t.Fatalf("loaded, and does not compile: %v", err)
	}
	for _, role := range i.Contract.Roles() {
		bag := map[string]string{"other": value}
		for _, kind := range bagKinds {
			if b := i.Contract.Side(role).Bag(kind); b != nil {
				for _, k := range b.Keys {
					bag[k.Name] = value
				}
			}
		}
		checker.CheckSide(role, bag, bag)
	}
}

// What the quick form of a schema says fits, the validator takes.
func FuzzQuick(f *testing.F) {
	for _, c := range [][2]string{
		{`{"type":"array","items":{"type":"object","required":["a"],"properties":{"a":{"type":"integer","minimum":1,"maximum":9}},"additionalProperties":false}}`, `[{"a":1}]`},
		{`{"anyOf":[{"type":"string","minLength":2,"pattern":"^a"},{"type":"null"}]}`, `"ab"`},
		{`{"enum":["a","b"]}`, `"b"`},
		{`{"type":["number","boolean"]}`, `1.5`},
		{`{"type":"integer"}`, `1.0`},
		{`{"type":"string","maxLength":1}`, `"é"`},
		{`{"additionalProperties":{"type":"null"},"minItems":1}`, `{"x":null}`},
		{`{"type":"integer","exclusiveMinimum":1}`, `1`},
		{`{"not":{}}`, `1`},
		{`{"const":2}`, `1`},
	} {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		schema, err := decodeJSON([]byte(text))
		if err != nil {
			return
		}
		v, err := decodeJSON([]byte(value))
		if err != nil {
			return
		}
		for _, dialect := range []Dialect{"", Draft04, Draft07} {
			compiled, cost, err := compileSchema(schema, dialect)
			if err != nil || compiled == nil || cost.steps(sizeOf(v)) > MaxWork {
				continue
			}
			if quickOf(compiled).fits(v) {
				if err := compiled.Validate(v); err != nil {
					t.Fatalf("%s under %s: %v", value, text, err)
				}
			}
		}
	})
}
