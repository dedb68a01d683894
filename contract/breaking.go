package contract

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"kith"
)

// BreakRule names a way in which one contract breaks another.
type BreakRule string

// The rules. In a relation one side writes by one version and the other reads by
// another, so a change breaks whoever still follows the old version: who writes
// what is no longer right, or who reads what was never written before.
const (
	RoleRemoved      BreakRule = "role-removed"      // nothing is said about a role any more
	BagRemoved       BreakRule = "bag-removed"       // nothing is said about a bag any more
	BagClosed        BreakRule = "bag-closed"        // keys that are not listed became mistakes
	KeyRemoved       BreakRule = "key-removed"       // a key readers may look for is gone
	KeyReused        BreakRule = "key-reused"        // a key has another type and another meaning
	RequiredAdded    BreakRule = "required-added"    // old writers do not write what must be there
	RequiredDropped  BreakRule = "required-dropped"  // old readers count on what need not be there
	EncodingChanged  BreakRule = "encoding-changed"  // raw became JSON, or the reverse
	TypeChanged      BreakRule = "type-changed"      // another type
	TypeNarrowed     BreakRule = "type-narrowed"     // fewer types
	TypeWidened      BreakRule = "type-widened"      // more types
	EnumNarrowed     BreakRule = "enum-narrowed"     // fewer values
	EnumWidened      BreakRule = "enum-widened"      // more values
	BoundsNarrowed   BreakRule = "bounds-narrowed"   // a smaller range, or shorter
	PatternChanged   BreakRule = "pattern-changed"   // another pattern or format, or the first
	PropertyClosed   BreakRule = "properties-closed" // properties that are not listed became mistakes
	PropertyRemoved  BreakRule = "property-removed"  // a property readers may look for is gone
	SecretIntroduced BreakRule = "secret-introduced" // old readers do not look into a secret
	SecretWithdrawn  BreakRule = "secret-withdrawn"  // old writers write a secret where none may be
)

// BreakRules lists every rule, and whom a breach of it breaks.
func BreakRules() []Break {
	return []Break{
		{Rule: RoleRemoved, Breaks: Both, Text: "nothing is said about the role any more"},
		{Rule: BagRemoved, Breaks: Both, Text: "nothing is said about the bag any more"},
		{Rule: BagClosed, Breaks: Writers, Text: "keys that are not listed became mistakes"},
		{Rule: KeyRemoved, Breaks: Readers, Text: "a key readers may look for is gone"},
		{Rule: KeyReused, Breaks: Both, Text: "a key has another type and another meaning"},
		{Rule: RequiredAdded, Breaks: Writers, Text: "what must be there is not written by old writers"},
		{Rule: RequiredDropped, Breaks: Readers, Text: "what old readers count on need not be there"},
		{Rule: EncodingChanged, Breaks: Both, Text: "raw became JSON, or the reverse"},
		{Rule: TypeChanged, Breaks: Both, Text: "another type"},
		{Rule: TypeNarrowed, Breaks: Writers, Text: "fewer types"},
		{Rule: TypeWidened, Breaks: Readers, Text: "more types"},
		{Rule: EnumNarrowed, Breaks: Writers, Text: "fewer values"},
		{Rule: EnumWidened, Breaks: Readers, Text: "more values"},
		{Rule: BoundsNarrowed, Breaks: Writers, Text: "a smaller range, or shorter"},
		{Rule: PatternChanged, Breaks: Writers, Text: "another pattern or format, or the first"},
		{Rule: PropertyClosed, Breaks: Writers, Text: "properties that are not listed became mistakes"},
		{Rule: PropertyRemoved, Breaks: Readers, Text: "a property readers may look for is gone"},
		{Rule: SecretIntroduced, Breaks: Readers, Text: "old readers do not look into a secret"},
		{Rule: SecretWithdrawn, Breaks: Writers, Text: "old writers write a secret where none may be"},
	}
}

// Party says who follows the old contract and is broken by the new one.
type Party string

// The parties.
const (
	Writers Party = "writers" // charms of that role that write as before
	Readers Party = "readers" // charms of the other role that read as before
	Both    Party = "both"
)

// Break is one way in which a new contract breaks an old one.
type Break struct {
	Rule   BreakRule `json:"rule"`
	Breaks Party     `json:"breaks"`
	// Path is where: role/bag/key, and steps into the value.
	Path string `json:"path,omitempty"`
	Text string `json:"text"`
}

// String is the breach in one line.
func (b Break) String() string {
	return fmt.Sprintf("%s: %s: %s (breaks %s)", b.Path, b.Rule, b.Text, b.Breaks)
}

// Breaking compares two versions of a contract and lists what in the newer one
// breaks charms that follow the older one, in order of role, bag and path. What neither
// describes cannot be compared and is left out. Errors: Invalid, if the two are not about
// one interface.
func Breaking(older, newer *Contract) ([]Break, error) {
	if !SameInterface(older.Interface, newer.Interface) {
		return nil, kith.Errorf(kith.Invalid, "cannot compare the contract of %s with that of %s", older.Interface, newer.Interface)
	}
	c := &comparer{}
	for _, role := range older.Roles() {
		was, is := older.Side(role), newer.Side(role)
		if is == nil {
			c.add(RoleRemoved, string(role), "nothing is said about the %s any more", role)
			continue
		}
		for _, kind := range bagKinds {
			if b := was.Bag(kind); b != nil {
				c.bag(b, is.Bag(kind), string(role)+"/"+string(kind))
			}
		}
	}
	return c.found, nil
}

type comparer struct{ found []Break }

func (c *comparer) add(rule BreakRule, path, format string, args ...any) {
	party := Both
	for _, known := range BreakRules() {
		if known.Rule == rule {
			party = known.Breaks
		}
	}
	c.found = append(c.found, Break{rule, party, path, fmt.Sprintf(format, args...)})
}

func (c *comparer) bag(was, is *Bag, path string) {
	if is == nil {
		c.add(BagRemoved, path, "nothing is said about this bag any more")
		return
	}
	if was.Unchecked != "" || is.Unchecked != "" {
		return
	}
	if is.Closed && !was.Closed {
		c.add(BagClosed, path, "keys that are not listed became mistakes")
	}
	for _, k := range was.Keys {
		now, ok := is.Key(k.Name)
		if !ok {
			c.add(KeyRemoved, path+"/"+k.Name, "the key is gone")
			continue
		}
		c.key(k, now, path+"/"+k.Name)
	}
	for _, k := range is.Keys {
		if _, ok := was.Key(k.Name); !ok && k.Required {
			c.add(RequiredAdded, path+"/"+k.Name, "the key is new and required")
		}
	}
}

func (c *comparer) key(was, is Key, path string) {
	switch {
	case is.Required && !was.Required:
		c.add(RequiredAdded, path, "the key became required")
	case was.Required && !is.Required:
		c.add(RequiredDropped, path, "the key is no longer required")
	}
	switch {
	case was.Secret == NoSecret && is.Secret != NoSecret || len(is.Via) > len(was.Via) && len(was.Via) == 0:
		c.add(SecretIntroduced, path, "the value may come by secret now")
	case was.Secret != NoSecret && is.Secret == NoSecret || len(was.Via) > 0 && len(is.Via) == 0:
		c.add(SecretWithdrawn, path, "the value may no longer come by secret")
	}
	if was.Unchecked != "" || is.Unchecked != "" {
		return
	}
	otherMeaning := was.Description != is.Description
	disjoint := typesDisjoint(was.Schema, is.Schema)
	switch {
	case otherMeaning && (disjoint || was.Encoding != is.Encoding):
		c.add(KeyReused, path, "the key has another type and another description")
	case was.Encoding != is.Encoding:
		c.add(EncodingChanged, path, "it was written as %s, and is now as %s", was.Encoding, is.Encoding)
	default:
		c.schema(was.Schema, is.Schema, path)
	}
}

// typesIn are the types of a schema, or nil where any may be.
func typesIn(schema any) []string {
	m, ok := schema.(map[string]any)
	set := map[string]bool{}
	if !ok || !typesOf(m, set) {
		return nil
	}
	if set["number"] {
		delete(set, "integer")
	}
	return names(set)
}

func typesDisjoint(was, is any) bool {
	a, b := typesIn(was), typesIn(is)
	return a != nil && b != nil && len(without(a, b)) == len(a) && len(without(b, a)) == len(b)
}

// schema compares the schemas of a value.
func (c *comparer) schema(was, is any, path string) {
	a, b := typesIn(was), typesIn(is)
	switch {
	case slices.Equal(a, b):
	case typesDisjoint(was, is):
		c.add(TypeChanged, path, "it was %s, and is now %s", strings.Join(a, " or "), strings.Join(b, " or "))
		return
	case !covers(b, a):
		c.add(TypeNarrowed, path, "it may no longer be %s", strings.Join(without(a, b), " or "))
	}
	if !slices.Equal(a, b) && !covers(a, b) {
		c.add(TypeWidened, path, "it may now be %s", strings.Join(without(b, a), " or "))
	}
	old, _ := single(was).(map[string]any)
	now, _ := single(is).(map[string]any)
	c.enum(old, now, path)
	c.bounds(old, now, path)
	for _, word := range []string{"pattern", "format", "const"} {
		if now[word] != nil && encodeJSON(now[word]) != encodeJSON(old[word]) {
			c.add(PatternChanged, path, "its %s is now %s", word, clip(encodeJSON(now[word])))
		}
	}
	c.properties(old, now, path)
	if old["items"] != nil && now["items"] != nil {
		c.schema(old["items"], now["items"], path+"/*")
	}
}

// single looks through a choice between null and one thing.
func single(schema any) any {
	for range MaxSchemaDepth {
		m, ok := schema.(map[string]any)
		if !ok {
			break
		}
		rest, _ := choices(m)
		if len(rest) != 1 {
			break
		}
		schema = rest[0]
	}
	return schema
}

// covers reports whether a value of any of the types b is of one of a; nil is any type.
func covers(a, b []string) bool {
	return a == nil || b != nil && len(without(b, a)) == 0
}

// without lists what of a is not in b. All numbers take in the whole ones.
func without(a, b []string) []string {
	if a == nil {
		return []string{"anything else"}
	}
	var out []string
	for _, t := range a {
		if !slices.Contains(b, t) && !(t == "integer" && slices.Contains(b, "number")) {
			out = append(out, t)
		}
	}
	return out
}

func (c *comparer) enum(was, is map[string]any, path string) {
	before, hadList := was["enum"].([]any)
	after, hasList := is["enum"].([]any)
	texts := func(list []any) []string {
		var out []string
		for _, v := range list {
			out = append(out, encodeJSON(v))
		}
		return sorted(out)
	}
	a, b := texts(before), texts(after)
	if gone := without(a, b); hasList && (!hadList || len(gone) > 0) {
		if !hadList {
			gone = []string{"anything but " + strings.Join(b, ", ")}
		}
		c.add(EnumNarrowed, path, "it may no longer be %s", clip(strings.Join(gone, ", ")))
	}
	switch more := without(b, a); {
	case hadList && !hasList && was["type"] == is["type"]:
		c.add(EnumWidened, path, "it may now be anything")
	case hadList && hasList && len(more) > 0:
		c.add(EnumWidened, path, "it may now be %s", clip(strings.Join(more, ", ")))
	}
}

// limits are the keywords of ranges, and whether a larger number allows less.
var limits = []struct {
	word  string
	lower bool
}{
	{"minimum", true}, {"exclusiveMinimum", true}, {"minLength", true}, {"minItems", true}, {"minProperties", true},
	{"maximum", false}, {"exclusiveMaximum", false}, {"maxLength", false}, {"maxItems", false}, {"maxProperties", false},
}

func (c *comparer) bounds(was, is map[string]any, path string) {
	for _, limit := range limits {
		now, ok := rational(is[limit.word])
		if !ok {
			continue
		}
		before, had := rational(was[limit.word])
		if !had || limit.lower && now.Cmp(before) > 0 || !limit.lower && now.Cmp(before) < 0 {
			c.add(BoundsNarrowed, path, "its %s is now %s", limit.word, encodeJSON(is[limit.word]))
		}
	}
	if is["uniqueItems"] == true && was["uniqueItems"] != true {
		c.add(BoundsNarrowed, path, "its items must now differ")
	}
}

// rational is a number of a schema; its size was checked when it was read.
func rational(v any) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if !ok || checkNumber(n.String()) != nil {
		return nil, false
	}
	return new(big.Rat).SetString(n.String())
}

// properties compares the properties of an object.
func (c *comparer) properties(was, is map[string]any, path string) {
	before, _ := was["properties"].(map[string]any)
	after, _ := is["properties"].(map[string]any)
	if is["additionalProperties"] == false && was["additionalProperties"] != false {
		c.add(PropertyClosed, path, "properties that are not listed became mistakes")
	}
	oldRequired, newRequired := stringsOf(was["required"]), stringsOf(is["required"])
	for _, name := range names(before) {
		if now, ok := after[name]; ok {
			c.schema(before[name], now, path+"/"+name)
		} else if len(after) > 0 || is["additionalProperties"] == false {
			c.add(PropertyRemoved, path+"/"+name, "the property is gone")
		}
	}
	for _, name := range newRequired {
		if !slices.Contains(oldRequired, name) {
			c.add(RequiredAdded, path+"/"+name, "the property became required")
		}
	}
	for _, name := range oldRequired {
		if _, still := after[name]; still && !slices.Contains(newRequired, name) {
			c.add(RequiredDropped, path+"/"+name, "the property is no longer required")
		}
	}
}
