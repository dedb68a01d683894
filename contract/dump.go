package contract

import (
	"encoding/json"
	"slices"
	"strings"

	"kith"
)

// BagData is one databag of a file: alone, or out of what show-unit prints.
type BagData struct {
	// Owner is the unit or application that writes the bag; empty in a bag alone, and
	// where show-unit does not tell.
	Owner string
	// Charm is the URL of the owner's charm; known of the unit that was shown only.
	Charm string
	Kind  BagKind // empty in a bag alone
	// Own says that the bag belongs to the side of the unit that was shown.
	Own      bool
	Endpoint string
	Relation kith.RelationID
	Data     map[string]string
}

// ReadBags reads a databag, or what show-unit prints of one unit or more, as YAML or
// JSON. In a bag alone a value that is no string stands for its JSON. In a peer relation
// show-unit prints the application data of the unit's own application; the caller
// knows the role. Errors: Invalid.
func ReadBags(file string, text []byte) ([]BagData, error) {
	v, d, err := readYAML(file, text)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, d.bad("", "it is %s, neither a databag nor what show-unit prints", kindOf(v))
	}
	p := &parser{d: d}
	var bags []BagData
	if !isDump(m) {
		bags = []BagData{{Data: p.data(m, "")}}
		return bags, p.err
	}
	for _, unit := range names(m) {
		shown := p.object(m[unit], "/"+unit)
		for i, r := range p.list(shown["relation-info"], "/"+unit+"/relation-info") {
			path := "/" + unit + "/relation-info/" + encodeJSON(i)
			found := p.relation(unit, p.object(r, path), path)
			for n := range found {
				if found[n].Own {
					found[n].Charm = p.text(shown["charm"], "/"+unit+"/charm")
				}
			}
			bags = append(bags, found...)
		}
	}
	return bags, p.err
}

// isDump reports whether a document has units with what show-unit says of each.
func isDump(m map[string]any) bool {
	for _, name := range names(m) {
		shown, ok := m[name].(map[string]any)
		if _, err := kith.ParseUnitName(name); err != nil || !ok || shown["relation-info"] == nil && shown["charm"] == nil {
			return false
		}
	}
	return len(m) > 0
}

// data is a bag: its values are strings, or stand for their JSON.
func (p *parser) data(v any, path string) map[string]string {
	m := p.object(v, path)
	bag := map[string]string{}
	for _, name := range names(m) {
		if m[name] == nil {
			p.fail(path+"/"+name, "the key has no value")
		}
		bag[name] = onWire(m[name])
	}
	return bag
}

// relation reads the bags of one relation of a unit.
func (p *parser) relation(unit string, m map[string]any, path string) []BagData {
	base := BagData{Endpoint: p.text(m["endpoint"], path+"/endpoint")}
	if n, ok := m["relation-id"].(json.Number); ok {
		id, err := n.Int64()
		if err != nil {
			p.fail(path+"/relation-id", "%s is no relation ID", n)
		}
		base.Relation = kith.RelationID(id)
	}
	related := p.object(m["related-units"], path+"/related-units")
	app := base
	app.Kind, app.Data = AppBag, p.data(m["application-data"], path+"/application-data")
	for _, name := range names(related) {
		app.Owner, _, _ = strings.Cut(name, "/")
	}
	bags := []BagData{app}
	if local, ok := m["local-unit"]; ok {
		own := base
		own.Owner, own.Kind, own.Own = unit, UnitBag, true
		own.Data = p.data(p.object(local, path+"/local-unit")["data"], path+"/local-unit/data")
		bags = append(bags, own)
	}
	for _, name := range names(related) {
		below := path + "/related-units/" + name
		other := base
		other.Owner, other.Kind = name, UnitBag
		other.Data = p.data(p.object(related[name], below)["data"], below+"/data")
		bags = append(bags, other)
	}
	return bags
}

// OtherRole is the role at the far end of a relation.
func OtherRole(role kith.Role) kith.Role {
	switch role {
	case kith.Provider:
		return kith.Requirer
	case kith.Requirer:
		return kith.Provider
	}
	return role
}

// Endpoints lists the endpoints whose bags there are, in order.
func Endpoints(bags []BagData) []string {
	var list []string
	for _, b := range bags {
		if b.Endpoint != "" {
			list = append(list, b.Endpoint)
		}
	}
	return slices.Compact(sorted(list))
}
