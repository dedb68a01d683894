package contract

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kith"
)

// Checker checks relation data against one contract. It is made by
// [Contract.Compile], never changes, and may be used by many at once.
type Checker struct {
	contract *Contract
	sides    map[kith.Role]compiledSide
}

// compiledSide is a side with its schemas ready.
type compiledSide map[BagKind]*compiledBag

type compiledBag struct {
	bag  *Bag
	keys map[string]*compiledKey
	// others are the keys of the bag in order of name, as in bag.Keys.
	others []*compiledKey
}

type compiledKey struct {
	Key
	schema *jsonschema.Schema // nil: anything
	quick  *quick             // nil: there is none
	cost   cost
}

// schemaURL names a key's schema inside the validator. Nothing is ever loaded; it is
// absolute because the validator would else ask for the working folder.
const schemaURL = "kith:///key.json"

// Contract is what c checks against. It must not be changed.
func (c *Checker) Contract() *Contract { return c.contract }

// Compile prepares the contract for checking. It refuses what [Parse] refuses, so a
// contract that was parsed or imported always compiles. Errors: Invalid.
func (c *Contract) Compile() (*Checker, error) {
	out := &Checker{contract: c, sides: map[kith.Role]compiledSide{}}
	for _, role := range c.Roles() {
		side := compiledSide{}
		for _, kind := range bagKinds {
			bag := c.Side(role).Bag(kind)
			if bag == nil {
				continue
			}
			compiled, err := compileBag(bag)
			if err != nil {
				return nil, kith.Errorf(kith.Invalid, "cannot use the contract of %s: %s/%s/%v", c.Interface, role, kind, err)
			}
			side[kind] = compiled
		}
		out.sides[role] = side
	}
	return out, nil
}

func compileBag(bag *Bag) (*compiledBag, error) {
	if len(bag.Keys) > MaxKeys {
		return nil, fmt.Errorf("keys: there are %d, at most %d are taken", len(bag.Keys), MaxKeys)
	}
	out := &compiledBag{bag: bag, keys: map[string]*compiledKey{}}
	for _, k := range bag.Keys {
		if k.Name == "" {
			return nil, errors.New("keys: a key has no name")
		}
		if out.keys[k.Name] != nil {
			return nil, fmt.Errorf("%s: the key is there twice", k.Name)
		}
		compiled := &compiledKey{Key: k}
		if k.Unchecked == "" {
			var err error
			if compiled.schema, compiled.cost, err = compileSchema(k.Schema, k.Dialect); err != nil {
				return nil, fmt.Errorf("%s: %w", k.Name, err)
			}
			compiled.quick = quickOf(compiled.schema)
		}
		out.keys[k.Name] = compiled
		out.others = append(out.others, compiled)
	}
	slices.SortFunc(out.others, func(a, b *compiledKey) int { return strings.Compare(a.Name, b.Name) })
	return out, out.references()
}

// references checks that what keys and groups name is there.
func (b *compiledBag) references() error {
	for _, k := range b.others {
		for _, name := range k.Via {
			via := b.keys[name]
			if via == nil || via.Secret == NoSecret {
				return fmt.Errorf("%s: it may come via %q, which is no key of the bag that may hold a secret", k.Name, name)
			}
		}
	}
	for _, group := range b.bag.AnyOf {
		for _, name := range group {
			if b.keys[name] == nil {
				return fmt.Errorf("any-of: it names %q, which is no key of the bag", name)
			}
		}
	}
	return nil
}

// compileSchema makes a validator of a schema that is complete in itself, and
// says what it costs. True needs none.
func compileSchema(schema any, dialect Dialect) (*jsonschema.Schema, cost, error) {
	if schema == nil || schema == true {
		return nil, cost{}, nil
	}
	if !dialect.known() {
		return nil, cost{}, fmt.Errorf("the dialect %q is not known", string(dialect))
	}
	// Writing it out again costs little, and holds the limits for contracts that
	// were put together by hand.
	in := &inliner{root: schema, dialect: dialect, checking: true}
	schema, err := in.inline(schema, "", 0)
	if err != nil {
		return nil, cost{}, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(dialect.draft())
	c.UseLoader(jsonschema.SchemeURLLoader{})
	for _, f := range formats {
		c.RegisterFormat(&jsonschema.Format{Name: f.name, Validate: f.check})
	}
	c.AssertFormat()
	if err := c.AddResource(schemaURL, schema); err != nil {
		return nil, cost{}, errors.New(oneLine(err.Error()))
	}
	compiled, err := c.Compile(schemaURL)
	if err != nil {
		return nil, cost{}, schemaProblem(err)
	}
	in.cost.nodes = in.nodes
	return compiled, in.cost, nil
}

// schemaProblem says in one line what is wrong with a schema.
func schemaProblem(err error) error {
	var invalid *jsonschema.ValidationError
	var refused *jsonschema.SchemaValidationError
	if errors.As(err, &refused) {
		err = refused.Err
	}
	if !errors.As(err, &invalid) {
		return errors.New(oneLine(err.Error()))
	}
	for len(invalid.Causes) > 0 {
		invalid = invalid.Causes[0]
	}
	return fmt.Errorf("no schema: at %s: %s", place(strings.Join(invalid.InstanceLocation, "/")), oneLine(describe(invalid.ErrorKind)))
}

func oneLine(s string) string { return clip(strings.Join(strings.Fields(s), " ")) }

// formats are those that charms use beside the ones of JSON Schema. A format nobody
// knows is a comment.
var formats = []struct {
	name  string
	check func(any) error
}{
	{"ipvanyaddress", ipAddress},
	{"ipvanynetwork", ipNetwork},
	{"secret-uri", secretURI},
}

func ipAddress(v any) error {
	if s, ok := v.(string); ok {
		if _, err := netip.ParseAddr(s); err != nil {
			return errors.New("no IP address")
		}
	}
	return nil
}

// ipNetwork takes an address too: a network of one.
func ipNetwork(v any) error {
	s, ok := v.(string)
	if !ok || ipAddress(v) == nil {
		return nil
	}
	if _, err := netip.ParsePrefix(s); err != nil {
		return errors.New("no IP network")
	}
	return nil
}

func secretURI(v any) error {
	if s, ok := v.(string); ok && !isSecretURI(s) {
		return errors.New("no secret reference")
	}
	return nil
}

// isSecretURI reports whether a value on the wire refers to a secret. A bare ID
// does not count here: any word of twenty letters would.
func isSecretURI(s string) bool {
	if !strings.HasPrefix(s, "secret:") {
		return false
	}
	_, _, err := kith.ParseSecretURI(s)
	return err == nil
}
