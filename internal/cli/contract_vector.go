package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"kith"
	"kith/charm"
	"kith/contract"
)

// vector is what the other party of a relation writes while a charm is looked at.
type vector struct {
	name  string
	state contract.State // of what the other party writes
	app   map[string]string
	unit  map[string]string
	// secrets are what the references in the bags stand for, by the key that holds one.
	secrets map[string]map[string]string
}

// vectorsOf are the vectors of a contract for who stands in for a role: that it writes
// nothing, and each example. What an example says of one bag, the first right example of the
// other bag completes.
func vectorsOf(c *contract.Contract, role kith.Role) []vector {
	list := []vector{{name: "nothing is written", state: contract.Absent}}
	for _, e := range c.Examples {
		if e.Role != role {
			continue
		}
		v := vector{name: e.Name, state: e.State, secrets: map[string]map[string]string{}}
		v.put(c, e.Role, e.Bag, e.Data)
		if other := otherBag(e.Bag); other != "" {
			v.put(c, e.Role, other, rightExample(c, e.Role, other))
		}
		list = append(list, v)
	}
	return list
}

// otherBag is the bag that a side has beside that one. What may be in either is alone.
func otherBag(kind contract.BagKind) contract.BagKind {
	switch kind {
	case contract.AppBag:
		return contract.UnitBag
	case contract.UnitBag:
		return contract.AppBag
	}
	return ""
}

// rightExample is the first example of a bag that is valid.
func rightExample(c *contract.Contract, role kith.Role, kind contract.BagKind) map[string]string {
	for _, e := range c.Examples {
		if e.Role == role && e.Bag == kind && e.State == contract.Valid {
			return e.Data
		}
	}
	return nil
}

// put has the other party write a bag. The engine's own keys are the engine's.
func (v *vector) put(c *contract.Contract, role kith.Role, kind contract.BagKind, data map[string]string) {
	bag := map[string]string{}
	for key, value := range data { // any order: each key once
		if slices.Contains(contract.EngineKeys(), key) {
			continue
		}
		bag[key] = value
		if contract.IsSecretReference(value) && plainKey.MatchString(key) {
			v.secrets[key] = contentBehind(c, role, kind, key)
		}
	}
	if kind == contract.UnitBag {
		v.unit = bag
	} else {
		v.app = bag
	}
}

// contentBehind is what a secret holds that a key refers to: the keys that may come by it,
// with the values that some example has for them.
func contentBehind(c *contract.Contract, role kith.Role, kind contract.BagKind, reference string) map[string]string {
	content := map[string]string{}
	if bag := c.Side(role).Bag(kind); bag != nil {
		for _, k := range bag.Keys {
			if slices.Contains(k.Via, reference) {
				content[k.Name] = exampleValue(c, role, kind, k.Name)
			}
		}
	}
	if len(content) == 0 {
		content["value"] = exampleValue(c, role, kind, reference)
	}
	return content
}

// exampleValue is what an example has for a key in plain.
func exampleValue(c *contract.Contract, role kith.Role, kind contract.BagKind, key string) string {
	for _, e := range c.Examples {
		if value := e.Data[key]; e.Role == role && e.Bag == kind && e.State == contract.Valid && value != "" && !contract.IsSecretReference(value) {
			return value
		}
	}
	return "example-" + key
}

// chooseEndpoint finds the endpoint of a charm that is to be tested.
func chooseEndpoint(c *charm.Charm, name string, named *contract.Contract) (charm.Relation, error) {
	var fitting []charm.Relation
	var names []string
	for _, e := range c.Meta.Endpoints() {
		switch {
		case e.IsImplicit():
			continue
		case name != "" && string(e.Name) != name:
			continue
		case named != nil && !contract.SameInterface(e.Interface, named.Interface) && name != "":
			return charm.Relation{}, kith.Errorf(kith.Invalid, "endpoint %q has interface %q, and the contract is of %q", e.Name, e.Interface, named.Interface)
		case named != nil && !contract.SameInterface(e.Interface, named.Interface):
			continue
		}
		fitting = append(fitting, e)
	}
	isPeer := func(e charm.Relation) bool { return e.Role == kith.Peer }
	if others := slices.DeleteFunc(slices.Clone(fitting), isPeer); len(others) > 0 {
		fitting = others // nobody can have meant a peer relation
	} else if len(fitting) > 0 {
		return charm.Relation{}, kith.Errorf(kith.Invalid, "cannot test endpoint %q: it is a peer relation, and has no other party to stand in for", fitting[0].Name).
			WithHint("'kith contract check' looks at what its units have written; a test in Go can deploy more of them")
	}
	for _, e := range fitting {
		names = append(names, string(e.Name))
	}
	switch {
	case len(fitting) == 0 && name != "":
		return charm.Relation{}, kith.Errorf(kith.NotFound, "charm %q has no such endpoint %q", c.Meta.Name, name)
	case len(fitting) == 0 && named != nil:
		return charm.Relation{}, kith.Errorf(kith.NotFound, "charm %q has no endpoint of interface %q", c.Meta.Name, named.Interface)
	case len(fitting) == 0:
		return charm.Relation{}, kith.Errorf(kith.Invalid, "charm %q has no endpoint", c.Meta.Name)
	case len(fitting) > 1:
		return charm.Relation{}, kith.Errorf(kith.Invalid, "charm %q has more than one endpoint that may be meant", c.Meta.Name).
			WithHint("choose one with --endpoint: %s", strings.Join(names, ", "))
	}
	return fitting[0], checkTestable(c, fitting[0])
}

// checkTestable refuses an endpoint that a charm alone cannot be tested at.
func checkTestable(c *charm.Charm, e charm.Relation) error {
	if c.Meta.Subordinate && e.Scope != kith.Container {
		return kith.Errorf(kith.Invalid, "cannot test endpoint %q: a subordinate has units only where it is in the container of another", e.Name).
			WithHint("test an endpoint of scope container")
	}
	return nil
}

// standInName is the application that stands in for the other party.
const standInName = "stand-in"

// standInFiles are the files of a charm that writes a vector into the relation of an endpoint:
// the other half of it, under the same name.
func standInFiles(e charm.Relation, subordinate bool, v vector) map[string]string {
	section := map[kith.Role]string{kith.Provider: "requires", kith.Requirer: "provides"}[e.Role]
	scope := ""
	if e.Scope == kith.Container {
		scope = ", scope: container"
	}
	metadata := fmt.Sprintf("name: %s\nsummary: Stands in for the other party of a relation.\ndescription: Writes one example of a contract.\nsubordinate: %v\n%s:\n  %s: {interface: %s%s}\n",
		standInName, e.Scope == kith.Container && !subordinate, section, e.Name, e.Interface, scope)
	files := map[string]string{"metadata.yaml": metadata, "hooks/install": "#!/bin/sh\n"}
	script := "#!/bin/sh\nset -eu\ncd \"$JUJU_CHARM_DIR\"\n"
	if len(v.app) > 0 {
		script += "is-leader --format json | grep -q true && " + v.write(files, "app", v.app)
	}
	if len(v.unit) > 0 {
		script += v.write(files, "unit", v.unit)
	}
	files["hooks/"+string(e.Name)+"-relation-created"] = script
	return files
}

// write has a hook write a bag. Values come from files, for they may hold anything; references
// to secrets are made on the spot.
func (v *vector) write(files map[string]string, bag string, data map[string]string) string {
	plain, references := map[string]string{}, []string{}
	for _, key := range sortedNames(data) {
		if v.secrets[key] != nil {
			references = append(references, key)
		} else {
			plain[key] = data[key]
		}
	}
	flag := map[string]string{"app": " --app", "unit": ""}[bag]
	script := "{\n"
	if len(plain) > 0 {
		files["data/"+bag] = mustYAML(plain)
		script += "relation-set -r \"$JUJU_RELATION_ID\"" + flag + " --file data/" + bag + "\n"
	}
	for i, key := range references {
		var content strings.Builder
		for j, name := range sortedNames(v.secrets[key]) {
			file := fmt.Sprintf("data/%s-%d-%d", bag, i, j)
			files[file] = v.secrets[key][name]
			fmt.Fprintf(&content, " %s#file=\"$JUJU_CHARM_DIR\"/%s", secretKeyName(name), file)
		}
		script += fmt.Sprintf("secret=$(secret-add%s)\nsecret-grant -r \"$JUJU_RELATION_ID\" \"$secret\"\nrelation-set -r \"$JUJU_RELATION_ID\"%s '%s'=\"$secret\"\n", content.String(), flag, key)
	}
	return script + "}\n"
}

// plainKey is a key that can stand in a script as it is.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// secretKeyName is a key of a databag as a key of a secret: letters, digits and hyphens, three
// or more, a letter first.
func secretKeyName(key string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(key))
	if name = strings.Trim(name, "-"); name == "" || name[0] < 'a' {
		name = "key-" + name + "0"
	}
	for len(name) < 3 {
		name += "-x"
	}
	return name
}

// mustYAML is a map of strings as a YAML text.
func mustYAML(data map[string]string) string {
	text, err := encodeYAML(data)
	if err != nil {
		panic("cli: a map of strings cannot be written: " + err.Error())
	}
	return text
}
