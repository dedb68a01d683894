package contract

import (
	"slices"
	"strings"

	"kith"
)

// Contract says what an interface means.
type Contract struct {
	// Interface is the name as its source writes it; compare with [SameInterface].
	Interface string `json:"interface"`
	// Version is the major version of the interface, 0 or more.
	Version int `json:"version"`
	// Status is where the contract is in its life.
	Status Status `json:"status,omitempty"`
	// Description is prose for people.
	Description string `json:"description,omitempty"`
	// Ignore are keys that are never checked, beside those of [EngineKeys].
	Ignore []string `json:"ignore,omitempty"`
	// Provider, Requirer and Peer are what each side writes; nil: nothing is said.
	Provider *Side `json:"provider,omitempty"`
	Requirer *Side `json:"requirer,omitempty"`
	Peer     *Side `json:"peer,omitempty"`
	// Examples are vectors: bags and what is to be said of them.
	Examples []Example `json:"examples,omitempty"`
}

// Status is where a contract is in its life, in the words of the public catalogue.
type Status string

// The statuses.
const (
	Draft     Status = "draft"     // it may still change in any way
	Published Status = "published" // it is what charms do
	Retired   Status = "retired"   // a later version took its place
)

// statuses are all of them.
var statuses = []Status{Draft, Published, Retired}

// BagKind says which databag of a side.
type BagKind string

// The kinds of bag. An EitherBag stands for a source that describes the keys of
// a side without saying which of its two bags holds them.
const (
	AppBag    BagKind = "app"
	UnitBag   BagKind = "unit"
	EitherBag BagKind = "either"
)

// Side is what one role of an interface writes.
type Side struct {
	// App and Unit are the side's bags; nil: nothing is said of that bag.
	App  *Bag `json:"app,omitempty"`
	Unit *Bag `json:"unit,omitempty"`
	// Either holds keys that may be in one bag or the other.
	Either *Bag `json:"either,omitempty"`
}

// Bag describes one databag.
type Bag struct {
	Description string `json:"description,omitempty"`
	// Keys are in order of name.
	Keys []Key `json:"keys,omitempty"`
	// AnyOf are groups of keys of which at least one group must be complete.
	AnyOf [][]string `json:"any-of,omitempty"`
	// Closed says that other keys are mistakes.
	Closed bool `json:"closed,omitempty"`
	// Optional says that nothing is missing while the bag is empty.
	Optional bool `json:"optional,omitempty"`
	// Unchecked says why the bag is not checked at all; empty: it is.
	Unchecked string `json:"not-checked,omitempty"`
}

// Encoding is how a key's value becomes a string on the wire.
type Encoding string

// The encodings.
const (
	Raw  Encoding = "raw"  // the string is the value
	JSON Encoding = "json" // the string is the value as a JSON text
)

// SecretRule says whether a value may be a reference to a secret.
type SecretRule string

// The rules.
const (
	NoSecret      SecretRule = ""        // a reference is a string like any other
	SecretAllowed SecretRule = "allowed" // the value, or a reference to a secret that holds it
	SecretOnly    SecretRule = "only"    // a reference to a secret
)

// Key describes one key of a databag.
type Key struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Encoding is that of the value on the wire.
	Encoding Encoding `json:"encoding"`
	// Schema is a JSON Schema of the decoded value, complete in itself: true, or an
	// object without references. Nil is the same as true.
	Schema any `json:"schema,omitempty"`
	// Dialect names the draft of Schema; empty is 2020-12.
	Dialect Dialect `json:"dialect,omitempty"`
	// Required says that the side is not done before the key is there.
	Required bool `json:"required,omitempty"`
	// Secret says whether the value may be a secret reference.
	Secret SecretRule `json:"secret,omitempty"`
	// Via are keys of the same bag; a secret reference in one of them stands for this
	// key, because the secret holds its value.
	Via []string `json:"via,omitempty"`
	// Sensitive values are never shown.
	Sensitive bool `json:"sensitive,omitempty"`
	// Unchecked says why the value is not checked; empty: it is.
	Unchecked string `json:"not-checked,omitempty"`
}

// Example is a bag and what is to be said of it.
type Example struct {
	Name string    `json:"name"`
	Role kith.Role `json:"role"`
	Bag  BagKind   `json:"bag"`
	// Data is the bag as it is on the wire.
	Data map[string]string `json:"data"`
	// State is the verdict. Missing and Violates name its keys, in order.
	State    State    `json:"state"`
	Missing  []string `json:"missing,omitempty"`
	Violates []string `json:"violates,omitempty"`
}

// Note is something an importer or a linter has to say about its source.
type Note struct {
	// Path is where in the source: steps separated by slashes, or empty for all of it.
	Path string `json:"path,omitempty"`
	Text string `json:"text"`
}

// String is the note in one line.
func (n Note) String() string {
	if n.Path == "" {
		return n.Text
	}
	return n.Path + ": " + n.Text
}

// FoldName is an interface name in the form in which names compare: charms write
// both tls-certificates and tls_certificates and mean one thing.
func FoldName(name string) string { return strings.ReplaceAll(name, "-", "_") }

// SameInterface reports whether two names mean one interface.
func SameInterface(a, b string) bool { return FoldName(a) == FoldName(b) }

// EngineKeys lists the keys that the engine writes into unit bags itself.
func EngineKeys() []string { return []string{"egress-subnets", "ingress-address", "private-address"} }

// Side is what that role writes, or nil.
func (c *Contract) Side(role kith.Role) *Side {
	switch role {
	case kith.Provider:
		return c.Provider
	case kith.Requirer:
		return c.Requirer
	case kith.Peer:
		return c.Peer
	}
	return nil
}

// Roles lists the roles the contract says something about.
func (c *Contract) Roles() []kith.Role {
	var roles []kith.Role
	for _, role := range []kith.Role{kith.Provider, kith.Requirer, kith.Peer} {
		if c.Side(role) != nil {
			roles = append(roles, role)
		}
	}
	return roles
}

// setSide sets what a role writes.
func (c *Contract) setSide(role kith.Role, s *Side) {
	switch role {
	case kith.Provider:
		c.Provider = s
	case kith.Requirer:
		c.Requirer = s
	case kith.Peer:
		c.Peer = s
	}
}

// Bag is the bag of that kind, or nil. A nil side has none.
func (s *Side) Bag(kind BagKind) *Bag {
	switch {
	case s == nil:
		return nil
	case kind == AppBag:
		return s.App
	case kind == UnitBag:
		return s.Unit
	case kind == EitherBag:
		return s.Either
	}
	return nil
}

// bagKinds are all kinds, in the order they are shown.
var bagKinds = []BagKind{AppBag, UnitBag, EitherBag}

// Key finds a key by name.
func (b *Bag) Key(name string) (Key, bool) {
	if b != nil {
		for _, k := range b.Keys {
			if k.Name == name {
				return k, true
			}
		}
	}
	return Key{}, false
}

// sortKeys puts the keys in order of name.
func (b *Bag) sortKeys() {
	slices.SortFunc(b.Keys, func(x, y Key) int { return strings.Compare(x.Name, y.Name) })
}

// Type is the type of the decoded value in a word or two, for people: "string",
// "array or null", "any".
func (k Key) Type() string {
	switch types := typesIn(k.Schema); {
	case k.Unchecked != "":
		return "not checked"
	case k.Secret == SecretOnly:
		return "secret"
	case types != nil:
		return strings.Join(types, " or ")
	case k.Encoding == Raw:
		return "string"
	}
	return "any"
}
