package contract

import (
	"fmt"
	"strings"
	"testing"
)

// What is usual is checked where it stands; what is not, or does not fit, is left to the
// validator.
func TestSkims(t *testing.T) {
	t.Parallel()
	const targets = `{"type":"array","minItems":1,"items":{"type":"object","required":["host","port"],
		"properties":{"host":{"type":"string","minLength":1},"port":{"type":"integer","minimum":1,"maximum":65535},"up":{"type":["boolean","null"]}},
		"additionalProperties":false}}`
	const choice = `{"anyOf":[{"type":"string","pattern":"^a"},{"type":"integer"},{"type":"object","additionalProperties":{"enum":["x","y"]}}]}`
	for _, c := range []struct {
		schema, text string
		skims        bool
	}{
		{targets, `[{"host":"10.0.0.1","port":80}]`, true},
		{targets, " [ {\n\t\"port\" : 80 , \"up\":null, \"host\" : \"é\" } ,\r{\"host\":\"b\",\"port\":1,\"up\":true}] ", true},
		{targets, `[]`, false},
		{targets, `[{"host":"10.0.0.1","port":0}]`, false},
		{targets, `[{"host":"10.0.0.1"}]`, false},
		{targets, `[{"host":"","port":80}]`, false},
		{targets, `[{"host":"h","port":80,"x":1}]`, false},
		{targets, `[{"host":"h","port":"80"}]`, false},
		{targets, `[{"host":"a\u0062","port":80}]`, false},      // an escape: left to the validator
		{targets, `[{"host":"h","port":80.0}]`, false},          // a fraction: left to the validator
		{targets, `[{"host":"h","port":80,"port":81}]`, true},   // the last one counts, and both fit
		{targets, `[{"host":"h","port":"x","port":81}]`, false}, // both are looked at
		{targets, `[{"host":"h","port":80}`, false},
		{targets, `[{"host":"h","port":80},]`, false},
		{targets, `[{"host":"h","port":80}] x`, false},
		{targets, `[{"host":"h","port":080}]`, false},
		{targets, `[{"host":"h" "port":80}]`, false},
		{targets, `[{host:"h","port":80}]`, false},
		{targets, "[{\"host\":\"\xff\",\"port\":80}]", false},
		{targets, "[{\"host\":\"a\nb\",\"port\":80}]", false},
		{targets, ``, false},
		{choice, `"abc"`, true},
		{choice, `"bc"`, false},
		{choice, `-12`, true},
		{choice, `-`, false},
		{choice, `tru`, false},
		{choice, `{"k":"x","l":"y"}`, true},
		{choice, `{"k":"x","l":"z"}`, false},
		{choice, `{"k":1}`, false},
		{`{"type":"integer"}`, `123456789012345678`, true},
		{`{"type":"integer"}`, `1234567890123456789`, false}, // it might be too large for an int64
		{`{"not":{}}`, `1`, false},
		{`{}`, strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), true},
		{`{}`, strings.Repeat("[", MaxDepth+2) + strings.Repeat("]", MaxDepth+2), false},
		{`{}`, strings.Repeat("[", 1<<20), false},
	} {
		k := skimKey(t, c.schema)
		budget := NewBudget(MaxWork)
		if got := k.skims(c.text, budget); got != c.skims || got != (budget.left < MaxWork) {
			t.Errorf("%s under %s: %v, with %d of %d left", clip(c.text), c.schema, got, budget.left, MaxWork)
		}
		if v, err := decodeJSON([]byte(c.text)); c.skims && err == nil && !strings.Contains(c.text, `"port":80,"port"`) {
			if work := k.cost.steps(sizeOf(v)); MaxWork-budget.left != work {
				t.Errorf("%s under %s: %d steps, the long way %d", clip(c.text), c.schema, MaxWork-budget.left, work)
			}
		}
		if k.skims(c.text, NewBudget(0)) {
			t.Errorf("%s under %s was checked without a budget for it", clip(c.text), c.schema)
		}
	}
	if k := (&compiledKey{}); !k.skims(`[1]`, NewBudget(0)) || k.skims(`[1`, NewBudget(0)) {
		t.Error("a key without a schema takes any JSON")
	}
}

func skimKey(t *testing.T, text string) *compiledKey {
	t.Helper()
	schema, err := decodeJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	compiled, cost, err := compileSchema(schema, "")
	if err != nil {
		t.Fatal(err)
	}
	return &compiledKey{schema: compiled, cost: cost, quick: quickOf(compiled)}
}

// What is taken as it stands, the long way takes too, and at no more work.
func FuzzSkim(f *testing.F) {
	for _, c := range [][2]string{
		{`{"type":"array","items":{"type":"object","required":["a"],"properties":{"a":{"type":"integer","minimum":1}},"additionalProperties":false}}`, `[{"a":1},{"a": 2}]`},
		{`{"anyOf":[{"type":"string","minLength":2,"pattern":"^a"},{"type":"null"}]}`, `"aé"`},
		{`{"additionalProperties":{"enum":["a","b"]}}`, `{"x":"a","x":"b"}`},
		{`{"items":{"type":["boolean","number"]}}`, `[true,false,-0,12]`},
	} {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		schema, err := decodeJSON([]byte(text))
		if err != nil {
			return
		}
		compiled, cost, err := compileSchema(schema, "")
		if err != nil || compiled == nil {
			return
		}
		k := &compiledKey{schema: compiled, cost: cost, quick: quickOf(compiled)}
		budget := NewBudget(MaxWork)
		if !k.skims(value, budget) {
			return
		}
		v, err := decodeJSON([]byte(value))
		if err != nil {
			t.Fatalf("%s is no JSON: %v", value, err)
		}
		if work := cost.steps(sizeOf(v)); MaxWork-budget.left < work {
			t.Fatalf("%s takes %d steps, not %d", value, work, MaxWork-budget.left)
		}
		if err := compiled.Validate(v); err != nil {
			t.Fatalf("%s under %s: %v", value, text, err)
		}
	})
}

// A check of a value that is as it should be allocates nothing for the value.
func TestSkimAllocates(t *testing.T) {
	k := skimKey(t, `{"type":"array","items":{"type":"object","required":["host"],"properties":{"host":{"type":"string"}}}}`)
	var targets []string
	for i := range 20 {
		targets = append(targets, fmt.Sprintf(`{"host":"10.0.0.%d","port":%d}`, i, 1000+i))
	}
	text := "[" + strings.Join(targets, ",") + "]"
	k.Encoding = JSON
	raw := skimKey(t, `{"type":"string","pattern":"^[a-z]+$","maxLength":20}`)
	budget := NewBudget(MaxWork)
	if n := testing.AllocsPerRun(100, func() {
		if !k.fine(text, budget) || !raw.fine("abc", budget) {
			t.Error("not taken as it stands")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if raw.fine("ABC", budget) || raw.fine("abc", NewBudget(0)) {
		t.Error("taken, though it does not fit, or there is no budget for it")
	}
}
