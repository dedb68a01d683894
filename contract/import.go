package contract

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kith"
)

// Form is the form a file describes an interface in.
type Form string

// The forms that are read.
const (
	OwnForm       Form = "contract"       // ours: see [Parse]
	GeneratedForm Form = "generated"      // JSON Schema with the roots app and unit, made from pydantic classes
	WrittenForm   Form = "hand-written"   // JSON Schema written by hand: of a bag as one object, or with other roots
	InterfaceForm Form = "interface.yaml" // who maintains and implements an interface
	PydanticForm  Form = "pydantic"       // schema.py: read, never run
)

// Import is what came of one file.
type Import struct {
	Path string `json:"path"`
	Form Form   `json:"form,omitempty"`
	// Contract is what the file says, as far as it goes: one role, or only the
	// name, version and status. Nil if the file was refused.
	Contract *Contract `json:"-"`
	// Refused says why there is no contract.
	Refused string `json:"refused,omitempty"`
	// Keys and Checked count the keys, and those of them whose values are checked.
	Keys    int `json:"keys"`
	Checked int `json:"checked"`
	// Notes say what of the file is not checked, and what is wrong with it.
	Notes []Note `json:"notes,omitempty"`
}

// note adds a note. More than are shown are not kept.
func (i *Import) note(path, format string, args ...any) {
	if len(i.Notes) > MaxNotes {
		return
	}
	if len(path) > maxNotePath { // its end tells
		path = "…" + strings.ToValidUTF8(path[len(path)-maxNotePath:], "")
	}
	i.Notes = append(i.Notes, Note{strings.TrimPrefix(path, "/"), fmt.Sprintf(format, args...)})
}

// maxNotePath is how much of a path a note has.
const maxNotePath = 400

// File is one file of a catalogue: its path, with slashes, and what is in it.
type File struct {
	Path string
	Text []byte
}

// Known reports whether a file of that name may describe an interface: those that
// do not are passed over when a folder is read.
func Known(name string) bool {
	switch base := path.Base(name); path.Ext(base) {
	case ".json":
		return base != "package.json"
	case ".yaml", ".yml":
		return true
	case ".py":
		return base == "schema.py"
	}
	return false
}

// ImportFile reads one file of any form. Interface, version and role come from
// the file where it says them, or else from its path, which in the catalogues is
// …/NAME/vN/…/ROLE.json. It never fails: what is wrong is in the answer.
func ImportFile(f File) Import {
	i := Import{Path: f.Path}
	err := i.read(f)
	if len(i.Notes) > MaxNotes {
		i.Notes = append(i.Notes[:MaxNotes], Note{Text: fmt.Sprintf("there are more than %d notes; the rest is left out", MaxNotes)})
	}
	if err == nil {
		_, err = i.Contract.Compile()
	}
	if err != nil {
		i.Contract, i.Refused = nil, err.Error()
		return i
	}
	for _, role := range i.Contract.Roles() {
		i.count(i.Contract.Side(role))
	}
	return i
}

func (i *Import) count(s *Side) {
	for _, kind := range bagKinds {
		bag := s.Bag(kind)
		if bag == nil {
			continue
		}
		for _, k := range bag.Keys {
			i.Keys++
			if k.Unchecked == "" {
				i.Checked++
			}
		}
	}
}

// read finds the form and reads it.
func (i *Import) read(f File) error {
	if len(f.Text) > MaxFileBytes {
		return kith.Errorf(kith.Invalid, "the file has %d bytes, at most %d are read", len(f.Text), MaxFileBytes)
	}
	switch base := path.Base(f.Path); path.Ext(base) {
	case ".py":
		i.Form = PydanticForm
		return i.pydantic(string(f.Text))
	case ".json":
		return i.schema(f.Text)
	default:
		if base == "interface.yaml" {
			i.Form = InterfaceForm
			return i.interfaceYAML(f.Text)
		}
		i.Form = OwnForm
		var err error
		i.Contract, err = Parse(f.Path, f.Text)
		return err
	}
}

// identity is which part of which contract a file is.
type identity struct {
	name    string
	version int
	role    kith.Role
}

// versionPattern is a version as a step of a path.
var versionPattern = regexp.MustCompile(`^v(\d{1,6})$`)

// identify finds interface, version and role in a path, or in a URL that is one.
func identify(p string) identity {
	id := identity{version: -1}
	steps := strings.Split(strings.TrimSuffix(p, "/"), "/")
	base := steps[len(steps)-1]
	switch role := kith.Role(strings.TrimSuffix(base, path.Ext(base))); role {
	case kith.Provider, kith.Requirer, kith.Peer:
		id.role = role
	}
	steps = steps[:len(steps)-1]
	if n := len(steps); n > 0 && steps[n-1] == "schemas" {
		steps = steps[:n-1]
	}
	if n := len(steps); n > 0 {
		if m := versionPattern.FindStringSubmatch(steps[n-1]); m != nil {
			id.version, _ = strconv.Atoi(m[1]) // six digits at most
			steps = steps[:n-1]
		}
	}
	if n := len(steps); n > 0 && namePattern.MatchString(steps[n-1]) {
		id.name = steps[n-1]
	}
	return id
}

// begin starts the contract of a file, from its path and, where that does not say,
// from its $id.
func (i *Import) begin(root map[string]any, needRole bool) (identity, error) {
	id := identify(i.Path)
	for _, word := range []string{"$id", "id"} {
		text, _ := root[word].(string)
		given := identify(text)
		if id.name == "" {
			id.name = given.name
		}
		if id.version < 0 {
			id.version = given.version
		}
		if id.role == "" {
			id.role = given.role
		}
	}
	if id.name == "" {
		return id, fmt.Errorf("nothing says which interface this is: neither the path NAME/vN/ROLE.json nor $id")
	}
	if needRole && id.role == "" {
		return id, fmt.Errorf("nothing says which role this is: the file is not called provider.json, requirer.json or peer.json")
	}
	if id.version < 0 {
		id.version = 0
		i.note("", "nothing says which version this is; it is taken for 0")
	}
	i.Contract = &Contract{Interface: id.name, Version: id.version}
	if data := dataFamily(id.name); data {
		i.Contract.Ignore = []string{"data"}
	}
	return id, nil
}

// dataInterfaces are the interfaces whose charms keep notes of their own under the key
// "data", beside what the contract is about.
const dataInterfaces wordList = "postgresql_client mysql_client mongodb_client redis_client kafka_client opensearch_client zookeeper etcd_client karapace_client connect_client valkey_client"

// dataFamily reports whether an interface is one of them.
func dataFamily(name string) bool { return dataInterfaces.has(FoldName(name)) }

// interfaceYAML reads the description of an interface: name, version and status.
func (i *Import) interfaceYAML(text []byte) error {
	v, d, err := readYAML(i.Path, text)
	if err != nil {
		return err
	}
	p := &parser{d: d}
	m := p.object(v, "")
	c := &Contract{Interface: p.text(m["name"], "/name"), Version: p.version(m["version"], "/version")}
	status := p.text(m["status"], "/status")
	if p.err != nil {
		return p.err
	}
	if !namePattern.MatchString(c.Interface) {
		return d.bad("/name", "%q is no interface name", c.Interface)
	}
	if slices.Contains(statuses, Status(status)) {
		c.Status = Status(status)
	} else if status != "" {
		i.note("status", "%q is none of %s", status, strings.Join(wordsOf(statuses), ", "))
	}
	id := identify(i.Path)
	if id.name != "" && !SameInterface(id.name, c.Interface) {
		i.note("name", "it says %q, its folder %q", c.Interface, id.name)
	}
	if id.version >= 0 && id.version != c.Version {
		i.note("version", "it says %d, its folder v%d", c.Version, id.version)
	}
	i.Contract = c
	return nil
}

// strength says which of two files that describe one role is believed.
var strength = map[Form]int{OwnForm: 4, GeneratedForm: 3, WrittenForm: 2, PydanticForm: 1}

// Merge puts what many files say together: one contract for each interface and
// version, in that order. Of two files that describe one role the stronger form is taken:
// contract, generated, hand-written, pydantic; the notes say so. Interfaces of which only the
// name is known are left out.
func Merge(files []Import) ([]*Contract, []Note) {
	type place struct {
		name    string
		version int
	}
	merged := map[place]*Contract{}
	from := map[place]map[kith.Role]Import{}
	var order []place
	var notes []Note
	files = slices.Clone(files)
	slices.SortStableFunc(files, func(a, b Import) int { return strength[b.Form] - strength[a.Form] })
	for _, f := range files {
		if f.Contract == nil {
			continue
		}
		at := place{FoldName(f.Contract.Interface), f.Contract.Version}
		c := merged[at]
		if c == nil {
			c = &Contract{Interface: f.Contract.Interface, Version: f.Contract.Version, Ignore: f.Contract.Ignore}
			merged[at], from[at] = c, map[kith.Role]Import{}
			order = append(order, at)
		}
		c.Status, c.Description = first(c.Status, f.Contract.Status), first(c.Description, f.Contract.Description)
		for _, role := range f.Contract.Roles() {
			if by, ok := from[at][role]; ok {
				notes = append(notes, Note{f.Path, fmt.Sprintf("%s describes the %s already", by.Path, role)})
				continue
			}
			from[at][role] = f
			c.setSide(role, f.Contract.Side(role))
			for _, e := range f.Contract.Examples {
				if e.Role == role {
					c.Examples = append(c.Examples, e)
				}
			}
		}
	}
	slices.SortFunc(order, func(a, b place) int {
		if n := strings.Compare(a.name, b.name); n != 0 {
			return n
		}
		return a.version - b.version
	})
	var out []*Contract
	for _, at := range order {
		if c := merged[at]; len(c.Roles()) > 0 {
			out = append(out, c)
		}
	}
	return out, notes
}

// first is the first of the values that is not empty.
func first[T ~string](values ...T) T {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
