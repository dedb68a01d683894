package contract

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kith"
)

// repeated is n copies of part, with their number for #, as a list.
func repeated(part string, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = strings.ReplaceAll(part, "#", fmt.Sprint(i))
	}
	return strings.Join(list, ", ")
}

// spent counts the allocations of f, and their bytes. It is for tests that do not run in parallel.
func spent(f func()) (allocations, bytes uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc
}

// nested is a schema in which a choice stands in every branch of a choice, n deep.
func nested(n int) string {
	if n == 0 {
		return `{minLength: 3}`
	}
	return `{anyOf: [` + nested(n-1) + `, ` + nested(n-1) + `]}`
}

// trees are all arrays of arrays with n brackets inside: the validator's hash is one for all of them.
func trees(n int, memo map[int][]string) []string {
	if n == 0 {
		return []string{""}
	}
	if memo[n] == nil {
		for first := 1; first <= n; first++ {
			for _, a := range trees(first-1, memo) {
				for _, b := range trees(n-first, memo) {
					memo[n] = append(memo[n], strings.TrimSuffix("["+a+"],"+b, ","))
				}
			}
		}
	}
	return memo[n]
}

// nasty are schemas that are taken, each with a value made to cost as much as it can.
var nasty = map[string]struct{ schema, value string }{
	"choices in choices":      {nested(9), `"a"`},
	"choices, many values":    {`{items: ` + nested(6) + `}`, `[` + repeated(`"a"`, 100_000) + `]`},
	"nobody's branch":         {`{items: {anyOf: [` + repeated(`{minLength: 1#}`, 100) + `]}}`, `[` + repeated(`"a"`, 1500) + `]`},
	"exactly one":             {`{items: {oneOf: [` + repeated(`{minLength: 1#}`, 100) + `]}}`, `[` + repeated(`"a"`, 1500) + `]`},
	"lists in choices":        {`{anyOf: [` + repeated(`{items: {minLength: 1#}}`, 100) + `]}`, `[` + repeated(`"a"`, 1500) + `]`},
	"huge patterns":           {`{items: {pattern: '([a-z]{9}b){90}'}}`, `[` + repeated(`"abcdefghibabcdefghib"`, 1000) + `]`},
	"a wide pattern":          {`{pattern: '(x?){300}z'}`, `"` + strings.Repeat("x", 100_000) + `"`},
	"a giant enumeration":     {`{items: {enum: [` + repeated(`"word-#"`, 4000) + `]}}`, `[` + repeated(`"word"`, 450) + `]`},
	"an enumeration of lists": {`{items: {enum: [` + repeated(`[[#]]`, 1500) + `]}}`, `[` + repeated(`[[1]]`, 100) + `]`},
	"numbers":                 {`{items: {enum: [` + repeated(`1000#`, 500) + `]}}`, `[` + repeated(`7`, 100) + `]`},
	"large exponents":         {`{items: {allOf: [` + repeated(`{multipleOf: 1e-300}`, 50) + `]}}`, `[` + repeated(`123456789e300`, 1000) + `]`},
	"whole numbers":           {`{items: {type: integer}}`, `[` + repeated(`1e300`, 10_000) + `]`},
	"nesting":                 {`{type: array}`, strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth)},
	"nesting without end":     {`{type: array}`, strings.Repeat("[", 9000) + strings.Repeat("]", 9000)},
	"unique words":            {`{uniqueItems: true}`, `[` + repeated(`"k#"`, 80_000) + `]`},
	"unique numbers":          {`{uniqueItems: true}`, `[` + repeated(`1#`, 8000) + `]`},
	"unique few":              {`{items: {uniqueItems: true}}`, `[` + repeated(`[`+repeated(`1#`, 20)+`]`, 300) + `]`},
	"unique trees":            {`{uniqueItems: true}`, `[` + strings.Join(trees(7, map[int][]string{}), ",") + `]`},
	"formats":                 {`{items: {allOf: [` + repeated(`{format: uri}`, 50) + `]}}`, `[` + repeated(`"http://user:password@host.example:8080/a/b?c=d#"`, 2000) + `]`},
	"a format of patterns":    {`{items: {format: regex}}`, `[` + repeated(`"`+strings.Repeat(`\\pL{999}`, 200)+`"`, 100) + `]`},
	"nobody's business":       {`{anyOf: [` + repeated(`{properties: {a#: true}}`, 40) + `], unevaluatedProperties: true}`, `{` + repeated(`"k#":1`, 2000) + `}`},
	"names":                   {`{patternProperties: {` + repeated(`'^[a-z]{3}#': {type: integer}`, 40) + `}}`, `{` + repeated(`"abc#":1`, 400) + `}`},
	"many mistakes":           {`{items: {type: object, required: [a, b]}}`, `[` + repeated(`{}`, 60_000) + `]`},
}

// What is taken and made to cost as much as it can is checked within bounds, or said to be too
// large. The bounds are on what is counted, the allocations: nothing here looks at a clock.
func TestNastyWork(t *testing.T) {
	for _, name := range names(nasty) {
		test := nasty[name]
		c, err := Parse("x.yaml", []byte("interface: x\nprovider: {app: {keys: {k: {encoding: json, schema: "+test.schema+"}}}}"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checker, err := c.Compile()
		if err != nil {
			t.Fatal(err)
		}
		var v Verdict
		allocations, bytes := spent(func() {
			v = checker.CheckBag(kith.Provider, AppBag, map[string]string{"k": test.value})
		})
		if allocations > 4_000_000 || bytes > 200<<20 {
			t.Errorf("%s: %d allocations, %d MB", name, allocations, bytes>>20)
		}
		k := checker.sides[kith.Provider][AppBag].keys["k"]
		value, err := decodeJSON([]byte(test.value))
		if steps := k.cost.steps(sizeOf(value)); err == nil && (steps > MaxWork) != (len(v.Unchecked) == 1) {
			t.Errorf("%s: %d steps, and %s", name, steps, verdictText(v))
		}
		t.Logf("%-25s %9d allocations %6d KB  %s", name, allocations, bytes>>10, clip(verdictText(v)))
	}
}

// visits counts what the validator does: how often it holds a part of a schema against a
// value, and how many characters patterns look at, each times the size of the pattern.
type visits struct{ parts, characters int }

func (v *visits) Validate(*jsonschema.ValidatorContext, any) { v.parts++ }

type countedPattern struct {
	*regexp.Regexp
	size   int
	visits *visits
}

func (p countedPattern) MatchString(s string) bool {
	p.visits.characters += p.size * len(s)
	return p.Regexp.MatchString(s)
}

// counted is a validator of the schema that counts what it does.
func counted(t *testing.T, schema any, v *visits) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.AssertVocabs()
	c.RegisterVocabulary(&jsonschema.Vocabulary{
		URL: "kith:///visits", Schema: &jsonschema.Schema{},
		Compile: func(*jsonschema.CompilerContext, map[string]any) (jsonschema.SchemaExt, error) { return v, nil },
	})
	c.UseRegexpEngine(func(text string) (jsonschema.Regexp, error) {
		size, err := patternSize(text)
		if err != nil {
			return nil, err
		}
		re, err := regexp.Compile(text)
		return countedPattern{re, size, v}, err
	})
	if err := c.AddResource(schemaURL, schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(schemaURL)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// randomSchema draws a schema with everything in it that leads to another one.
func randomSchema(r *rand.Rand, depth int) any {
	if depth == 0 {
		return []any{true, map[string]any{"minLength": 2}, map[string]any{"pattern": "^a+b?$"}, map[string]any{"enum": []any{"a", "ab"}}}[r.IntN(4)]
	}
	below := func() any { return randomSchema(r, r.IntN(depth)) }
	s := map[string]any{}
	for range 1 + r.IntN(3) {
		switch word := []string{"anyOf", "oneOf", "allOf", "not", "items", "contains", "properties", "patternProperties", "additionalProperties",
			"unevaluatedProperties", "unevaluatedItems", "prefixItems", "if", "propertyNames", "dependentSchemas"}[r.IntN(15)]; word {
		case "anyOf", "oneOf", "allOf", "prefixItems":
			s[word] = []any{below(), below()}
		case "properties", "dependentSchemas":
			s[word] = map[string]any{"a": below(), "ab": below()}
		case "patternProperties":
			s[word] = map[string]any{"^a": below(), "b$": below()}
		case "if":
			s["if"], s["then"], s["else"] = below(), below(), below()
		default:
			s[word] = below()
		}
	}
	return s
}

// randomValue draws a value that such schemas look into.
func randomValue(r *rand.Rand, depth int) any {
	if depth == 0 {
		return []string{"a", "ab", "aaaab", "c"}[r.IntN(4)]
	}
	if r.IntN(2) == 0 {
		list := []any{}
		for range r.IntN(4) {
			list = append(list, randomValue(r, r.IntN(depth)))
		}
		return list
	}
	m := map[string]any{}
	for _, name := range []string{"a", "ab", "b", "c"}[:r.IntN(5)] {
		m[name] = randomValue(r, r.IntN(depth))
	}
	return m
}

// The steps that are reckoned before a value is checked are never less than what the validator does:
// it holds each part of a schema against each value at most once, choices in choices included.
func TestStepsBoundVisits(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	most := 0.0
	for range 200 {
		schema := randomSchema(r, 5)
		_, cost, err := compileSchema(schema, "")
		if err != nil {
			t.Fatal(err)
		}
		var done visits
		compiled := counted(t, schema, &done)
		for range 5 {
			done = visits{}
			value := randomValue(r, 4)
			_ = compiled.Validate(value) // any answer will do
			s := sizeOf(value)
			if done.parts > cost.nodes*s.values || done.characters > cost.texts*s.bytes {
				t.Fatalf("%d parts, %d characters; reckoned were %d and %d: %s against %s", done.parts, done.characters,
					cost.nodes*s.values, cost.texts*s.bytes, encodeJSON(value), encodeJSON(schema))
			}
			if done.parts > 1 {
				most = max(most, float64(done.parts)/float64(cost.nodes*s.values))
			}
		}
	}
	if most < 0.1 {
		t.Errorf("of the steps that were reckoned no more than %.2f was ever done: nothing was tested", most)
	}
}

// A file as large as is read, made so that its places are named at length, takes little memory: names
// are on every path below them, and there may be thousands of paths.
func TestNastyNames(t *testing.T) {
	long := strings.Repeat("n", 300_000)
	for name, f := range map[string]File{
		"a long name in YAML":      {"x.yaml", []byte("interface: x\nexamples:\n- ? " + long + "\n  : [" + repeated("1", 100_000) + "]\n")},
		"a long property":          {"a/v0/provider.json", []byte(`{"properties":{"app":{"type":"object","properties":{"k":{"type":"object","properties":{"` + long + `":{"anyOf":[` + repeated("3", 4000) + `]}}}}}}}`)},
		"a long key":               {"a/v0/provider.json", []byte(`{"properties":{"app":{"type":"object","properties":{"` + long + `":{"type":"object","anyOf":[` + repeated("3", 4000) + `]}}}}}`)},
		"a long class":             {"a/v0/schema.py", []byte("class " + long + "(BaseModel):\n" + strings.ReplaceAll(repeated("    f#: odd", 400), ", ", "\n") + "\nclass ProviderSchema(BaseModel):\n    app: " + long + "\n")},
		"very many notes":          {"a/v0/provider.json", []byte(`{"properties":{"app":{"type":"object","properties":{` + repeated(`"k#":{"type":"object","anyOf":[`+repeated("3", 100)+`]}`, 14) + `}}}}`)},
		"patterns of many letters": {"a/v0/provider.json", []byte(`{"properties":{"app":{"type":"object","properties":{"k":{"type":"object","patternProperties":{` + repeated(`"#`+strings.Repeat(`\\pL{999}`, 20)+`":{}`, 1000) + `}}}}}}`)},
		"patterns in both cases":   {"a/v0/provider.json", []byte(`{"properties":{"app":{"type":"object","properties":{"k":{"type":"object","patternProperties":{` + repeated(`"(?i)#`+strings.Repeat(`[A-\\x{1e942}]`, 12)+`":{}`, 1000) + `}}}}}}`)},
		"examples, each a few bytes": {"x.yaml", []byte("interface: x\nprovider: {app: {keys: {k: {encoding: json, schema: {items: {anyOf: [" + repeated("{minLength: 1#}", 1000) + "]}}}}}}\nexamples:\n" +
			strings.Repeat("- {name: a, role: provider, bag: app, state: violating, violates: [k], data: {k: ["+repeated("a", 400)+"]}}\n", 300))},
	} {
		allocations, bytes := spent(func() { ImportFile(f) })
		t.Logf("%-30s %9d allocations %6d MB", name, allocations, bytes>>20)
		if allocations > 8_000_000 || bytes > 500<<20 {
			t.Errorf("%s: %d allocations, %d MB", name, allocations, bytes>>20)
		}
	}
}

// Of very many mistakes the same ones are named each time, and of a large value the first part that is wrong.
func TestMistakesInOrder(t *testing.T) {
	t.Parallel()
	c, err := Parse("x.yaml", []byte("interface: x\nprovider: {app: {keys: {k: {encoding: json, schema: {additionalProperties: {items: {type: integer}}}}}}}"))
	if err != nil {
		t.Fatal(err)
	}
	checker, err := c.Compile()
	if err != nil {
		t.Fatal(err)
	}
	check := func(value string) Verdict {
		return checker.CheckBag(kith.Provider, AppBag, map[string]string{"k": value})
	}
	many := `{` + repeated(`"n#": ["x"]`, 300) + `}`
	first := check(many)
	if len(first.Violations) != MaxViolations || first.Violations[0].Path != "/n0/0" || first.Violations[1].Path != "/n1/0" || first.Violations[2].Path != "/n10/0" {
		t.Error(verdictText(first))
	}
	for range 5 {
		if again := check(many); encodeJSON(again) != encodeJSON(first) {
			t.Fatal("it differs from time to time")
		}
	}
	large := check(`{` + repeated(`"n#": [1]`, 20000) + `, "z": [2, "x"], "zz": ["y"]}`)
	if len(large.Violations) != 1 || large.Violations[0].Path != "/z/1" || large.Violations[0].Rule != "type" {
		t.Error(verdictText(large))
	}
}

// What is said of a value is short, however large the value is and whatever its parts are called: it is
// kept in the history of a model.
func TestVerdictsAreShort(t *testing.T) {
	t.Parallel()
	c, err := Parse("x.yaml", []byte("interface: x\nprovider: {app: {keys: {k: {encoding: json, schema: {anyOf: [{type: integer}, {$ref: '#/$defs/o'}]}}, "+
		"o: {encoding: json, schema: {$ref: '#/$defs/o'}}, l: {encoding: json, schema: {type: array, items: {type: array, items: {type: integer}}, maxItems: 9}}}}}\n"+
		"$defs: {o: {type: object, required: [need], properties: {a: {items: {type: integer}}}, additionalProperties: false}}"))
	if err != nil {
		t.Fatal(err)
	}
	checker, err := c.Compile()
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("n", 100_000)
	for name, test := range map[string]struct{ key, value, want string }{
		"long names":       {"o", `{"` + long + `": 1, "need": 1}`, "o: an object of 2: it must not have"},
		"many names":       {"o", `{"need": 1, ` + repeated(`"n#": 1`, 3000) + `}`, `"n1005" and 2991 more (additionalProperties)`},
		"very many names":  {"o", `{` + repeated(`"n#": 1`, 40_000) + `}`, `it lacks "need" (required)`},
		"of another kind":  {"o", `[` + repeated(`1`, 40_000) + `]`, "it must be of type object (type)"},
		"too many":         {"l", `[` + repeated(`[1]`, 40_000) + `]`, "it must have at most 9 items (maxItems)"},
		"in a long path":   {"l", `[[` + repeated(`"`+long[:50]+`"`, 60) + `]]`, `l/0/0: "`},
		"in all of a part": {"o", `{"need": 1, "a": [` + repeated(`"x"`, 60) + `]}`, "o/a/0: "},
	} {
		v := checker.CheckBag(kith.Provider, AppBag, map[string]string{test.key: test.value})
		text := verdictText(v)
		if v.State != Violating || !strings.Contains(text, test.want) {
			t.Errorf("%s: %s, want %q", name, text[:min(len(text), 500)], test.want)
		}
		if size := len(encodeJSON(v)); size > 20_000 {
			t.Errorf("%s: the verdict has %d bytes", name, size)
		}
	}
	deep := checkerOf(t, "interface: x\nprovider: {app: {keys: {k: {encoding: json, schema: {additionalProperties: {items: {type: integer}}}}}}}")
	v := deep.CheckBag(kith.Provider, AppBag, map[string]string{"k": `{"` + long + `": [` + repeated(`"x"`, 60) + `]}`})
	if size := len(encodeJSON(v)); v.State != Violating || size > 40_000 {
		t.Errorf("names as long as a value make a verdict of %d bytes", size)
	}
}

// checkerOf is the checker of a contract.
func checkerOf(t testing.TB, text string) *Checker {
	t.Helper()
	c, err := Parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	checker, err := c.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return checker
}

// Bags that share a budget cannot cost more together: what is beyond it is not checked, and said to be.
func TestSharedBudget(t *testing.T) {
	t.Parallel()
	c, err := Parse("x.yaml", []byte("interface: x\nprovider: {app: {keys: {k: {encoding: json, schema: {items: {type: integer}}}}}}"))
	if err != nil {
		t.Fatal(err)
	}
	checker, err := c.Compile()
	if err != nil {
		t.Fatal(err)
	}
	bag := map[string]string{"k": "[" + repeated("1", 1000) + `,"x"]`}
	budget := NewBudget(200_000)
	checked := 0
	for range 100 {
		v := checker.CheckBagWithin(budget, kith.Provider, AppBag, bag)
		if v.State == Violating {
			checked++
		} else if v.State != Valid || len(v.Unchecked) != 1 {
			t.Fatal(verdictText(v))
		}
	}
	if checked < 2 || checked > 50 {
		t.Errorf("%d of 100 bags were checked", checked)
	}
	if v := checker.CheckBag(kith.Provider, AppBag, bag); v.State != Violating {
		t.Error("a bag has a budget of its own unless it is given one:", verdictText(v))
	}
}
