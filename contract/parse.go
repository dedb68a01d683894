package contract

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kith"
)

// namePattern is what an interface may be called, as in charm metadata.
var namePattern = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_-]*$`)

// Parse reads a contract in the form of its own, which docs/reference/contract.schema.json
// describes. File is for messages only. The contract is complete and compiles.
// Errors: Invalid, with the line.
func Parse(file string, text []byte) (*Contract, error) {
	v, d, err := readYAML(file, text)
	if err != nil {
		return nil, err
	}
	p := &parser{d: d}
	c := p.contract(v)
	if p.err != nil {
		return nil, p.err
	}
	checker, err := c.Compile()
	if err != nil {
		return nil, d.bad("", "%s", strings.TrimPrefix(err.Error(), "cannot use the contract of "))
	}
	p.examples(checker)
	return c, p.err
}

// parser reads the parts of a contract, up to the first mistake.
type parser struct {
	d    *document
	defs map[string]any
	// nodes counts the values of all schemas so far.
	nodes int
	err   error
}

func (p *parser) fail(path, format string, args ...any) {
	if p.err == nil {
		p.err = p.d.bad(path, format, args...)
	}
}

// object is v as an object with no other fields than those.
func (p *parser) object(v any, path string, fields ...string) map[string]any {
	m, ok := v.(map[string]any)
	if !ok && v != nil {
		p.fail(path, "it is %s, not an object", kindOf(v))
	}
	for _, name := range names(m) {
		if len(fields) > 0 && !slices.Contains(fields, name) {
			p.fail(path+"/"+name, "there is no such field; there are %s", strings.Join(fields, ", "))
		}
	}
	return m
}

func (p *parser) text(v any, path string) string {
	s, ok := v.(string)
	if !ok && v != nil {
		p.fail(path, "it is %s, not a string", kindOf(v))
	}
	return s
}

// word is a string that is one of a few, or empty.
func (p *parser) word(v any, path string, choice ...string) string {
	s := p.text(v, path)
	if s != "" && !slices.Contains(choice, s) {
		p.fail(path, "%q is none of %s", s, strings.Join(choice, ", "))
	}
	return s
}

func (p *parser) flag(v any, path string) bool {
	b, ok := v.(bool)
	if !ok && v != nil {
		p.fail(path, "it is %s, not true or false", kindOf(v))
	}
	return b
}

func (p *parser) list(v any, path string) []any {
	list, ok := v.([]any)
	if !ok && v != nil {
		p.fail(path, "it is %s, not a list", kindOf(v))
	}
	return list
}

func (p *parser) words(v any, path string) []string {
	var list []string
	for i, item := range p.list(v, path) {
		list = append(list, p.text(item, path+"/"+strconv.Itoa(i)))
	}
	return list
}

func (p *parser) contract(v any) *Contract {
	m := p.object(v, "", "interface", "version", "status", "description", "ignore", "$defs", "provider", "requirer", "peer", "examples")
	c := &Contract{
		Interface: p.text(m["interface"], "/interface"), Description: p.text(m["description"], "/description"),
		Version: p.version(m["version"], "/version"),
		Status:  Status(p.word(m["status"], "/status", wordsOf(statuses)...)),
		Ignore:  p.words(m["ignore"], "/ignore"),
	}
	if !namePattern.MatchString(c.Interface) {
		p.fail("/interface", "%q is no interface name", c.Interface)
	}
	p.defs = p.object(m["$defs"], "/$defs")
	for _, role := range []kith.Role{kith.Provider, kith.Requirer, kith.Peer} {
		if side, ok := m[string(role)]; ok {
			c.setSide(role, p.side(side, "/"+string(role)))
		}
	}
	for i, example := range p.list(m["examples"], "/examples") {
		c.Examples = append(c.Examples, p.example(example, "/examples/"+strconv.Itoa(i)))
	}
	return c
}

func (p *parser) version(v any, path string) int {
	n, ok := v.(json.Number)
	version, err := strconv.Atoi(n.String())
	if v != nil && (!ok || err != nil || version < 0) {
		p.fail(path, "a version is a whole number, 0 or more")
	}
	return version
}

func wordsOf[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

func (p *parser) side(v any, path string) *Side {
	m := p.object(v, path, wordsOf(bagKinds)...)
	s := &Side{}
	for _, kind := range bagKinds {
		if bag, ok := m[string(kind)]; ok {
			s.setBag(kind, p.bag(bag, path+"/"+string(kind)))
		}
	}
	return s
}

// setBag sets the bag of that kind.
func (s *Side) setBag(kind BagKind, b *Bag) {
	switch kind {
	case AppBag:
		s.App = b
	case UnitBag:
		s.Unit = b
	case EitherBag:
		s.Either = b
	}
}

func (p *parser) bag(v any, path string) *Bag {
	m := p.object(v, path, "description", "closed", "optional", "not-checked", "any-of", "keys")
	b := &Bag{
		Description: p.text(m["description"], path+"/description"), Closed: p.flag(m["closed"], path+"/closed"),
		Optional: p.flag(m["optional"], path+"/optional"), Unchecked: p.text(m["not-checked"], path+"/not-checked"),
	}
	for i, group := range p.list(m["any-of"], path+"/any-of") {
		b.AnyOf = append(b.AnyOf, p.words(group, path+"/any-of/"+strconv.Itoa(i)))
	}
	keys := p.object(m["keys"], path+"/keys")
	if len(keys) > MaxKeys {
		p.fail(path+"/keys", "there are %d keys, at most %d are taken", len(keys), MaxKeys)
		return b
	}
	for _, name := range names(keys) {
		if len(name) > MaxNameBytes {
			p.fail(path+"/keys", "the name of a key has %d characters, at most %d are taken", len(name), MaxNameBytes)
			return b
		}
		b.Keys = append(b.Keys, p.key(name, keys[name], path+"/keys/"+name))
	}
	return b
}

func (p *parser) key(name string, v any, path string) Key {
	m := p.object(v, path, "description", "encoding", "schema", "required", "secret", "via", "sensitive", "not-checked", "dialect")
	k := Key{
		Name: name, Description: p.text(m["description"], path+"/description"),
		Encoding:  Encoding(p.word(m["encoding"], path+"/encoding", string(Raw), string(JSON))),
		Dialect:   Dialect(p.text(m["dialect"], path+"/dialect")),
		Required:  p.flag(m["required"], path+"/required"),
		Secret:    SecretRule(p.word(m["secret"], path+"/secret", string(SecretAllowed), string(SecretOnly))),
		Via:       p.words(m["via"], path+"/via"),
		Sensitive: p.flag(m["sensitive"], path+"/sensitive"),
		Unchecked: p.text(m["not-checked"], path+"/not-checked"),
	}
	if k.Encoding == "" {
		k.Encoding = Raw
	}
	if schema, ok := m["schema"]; ok {
		in := &inliner{root: map[string]any{"$defs": p.defs}, dialect: k.Dialect}
		var err error
		if k.Schema, err = in.inline(schema, "", 0); err != nil {
			p.fail(path+"/schema", "%v", err)
		} else if p.nodes += in.nodes; p.nodes > MaxContractNodes {
			p.fail(path+"/schema", "the schemas of the file have more than %d values together", MaxContractNodes)
		} else if _, _, err := compileSchema(k.Schema, k.Dialect); err != nil {
			p.fail(path+"/schema", "%v", err)
		}
	}
	return k
}

func (p *parser) example(v any, path string) Example {
	m := p.object(v, path, "name", "role", "bag", "data", "state", "missing", "violates")
	e := Example{
		Name: p.text(m["name"], path+"/name"),
		Role: kith.Role(p.word(m["role"], path+"/role", string(kith.Provider), string(kith.Requirer), string(kith.Peer))),
		Bag:  BagKind(p.word(m["bag"], path+"/bag", wordsOf(bagKinds)...)), Data: map[string]string{},
		State:    State(p.word(m["state"], path+"/state", wordsOf(states)...)),
		Missing:  p.words(m["missing"], path+"/missing"),
		Violates: p.words(m["violates"], path+"/violates"),
	}
	if e.Role == "" || e.Bag == "" || e.State == "" {
		p.fail(path, "an example says role, bag and state")
	}
	data := p.object(m["data"], path+"/data")
	for _, name := range names(data) {
		e.Data[name] = onWire(data[name])
	}
	return e
}

// onWire is a value of an example as it is in the bag: a string is itself, anything
// else its JSON.
func onWire(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return encodeJSON(v)
}

// examples checks that the contract says of its examples what they say.
func (p *parser) examples(checker *Checker) {
	budget := NewBudget(MaxExampleWork)
	for i, e := range checker.contract.Examples {
		if p.err != nil {
			return
		}
		v := checker.verdict(e, budget)
		if budget.short {
			p.fail("/examples/"+strconv.Itoa(i), "the examples are too large for their schemas, together")
		} else if problem := e.differs(v); problem != "" {
			p.fail("/examples/"+strconv.Itoa(i), "%s", problem)
		}
	}
}

// TryExample says in what a verdict differs from what the example says, or nothing.
func (c *Checker) TryExample(e Example) string {
	return e.differs(c.verdict(e, NewBudget(MaxWork)))
}

// differs says in what a verdict differs from what the example says, or nothing.
func (e Example) differs(v Verdict) string {
	var wrong []string
	for _, found := range v.Violations {
		wrong = append(wrong, found.Key)
	}
	wrong = slices.Compact(sorted(wrong))
	switch {
	case v.State != e.State && len(v.Violations) > 0:
		return "the example " + strconv.Quote(e.Name) + " is " + string(v.State) + ", not " + string(e.State) + ": " + v.Violations[0].String()
	case v.State != e.State:
		return "the example " + strconv.Quote(e.Name) + " is " + string(v.State) + ", not " + string(e.State) + "; missing: " + strings.Join(v.Missing, ", ")
	case !slices.Equal(v.Missing, sorted(slices.Clone(e.Missing))):
		return "the example " + strconv.Quote(e.Name) + " lacks " + quotedList(v.Missing) + ", and says " + quotedList(e.Missing)
	case !slices.Equal(wrong, sorted(slices.Clone(e.Violates))):
		return "the example " + strconv.Quote(e.Name) + " violates " + quotedList(wrong) + ", and says " + quotedList(e.Violates)
	}
	return ""
}

// verdict checks the bag of an example.
func (c *Checker) verdict(e Example, b *Budget) Verdict {
	if e.Bag == EitherBag {
		_, _, v := c.CheckSideWithin(b, e.Role, e.Data, nil)
		return v
	}
	return c.CheckBagWithin(b, e.Role, e.Bag, e.Data)
}
