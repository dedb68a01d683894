package charm

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"kith"
)

const nameRule = "a name is lower-case letters, digits and single dashes; every part between dashes needs a letter"

// checkName holds storage and device names to the grammar that ids are built
// from: Juju notices only when the first instance is made (section 8.1).
func checkName(n *node, thing, name string) error {
	if kith.ValidAppName(name) {
		return nil
	}
	return n.schemaError(nameRule, "%s name %q not valid", thing, clip(name))
}

// parseStorages reads the storage section (section 8.1).
func parseStorages(n *node) (map[string]Storage, error) {
	fields, err := n.asMap()
	if err != nil {
		return nil, err
	}
	out := make(map[string]Storage, len(fields))
	for _, f := range fields {
		if err := checkName(f.val, "storage", f.name); err != nil {
			return nil, err
		}
		if out[f.name], err = parseStorage(f.name, f.val); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseStorage(name string, n *node) (Storage, error) {
	s := Storage{Name: name, CountMin: 1, CountMax: 1}
	fields, err := n.asMap()
	if err != nil {
		return s, err
	}
	for _, f := range fields {
		switch f.name {
		case "type":
			s.Type, err = parseStorageType(f.val)
		case "description":
			s.Description, err = f.val.asString()
		case "shared":
			s.Shared, err = f.val.asBool()
		case "read-only":
			s.ReadOnly, err = f.val.asBool()
		case "multiple":
			s.CountMin, s.CountMax, err = parseMultiple(f.val)
		case "minimum-size":
			s.MinimumSize, err = parseSize(f.val)
		case "location":
			s.Location, err = f.val.asString()
		case "properties":
			s.Properties, err = parseProperties(f.val)
		}
		if err != nil {
			return s, err
		}
	}
	_, err = parseStorageType(n.get("type"))
	return s, err
}

func parseStorageType(n *node) (string, error) {
	if s, err := n.asString(); err == nil && (s == "block" || s == "filesystem") {
		return s, nil
	}
	return "", n.unexpected("the type is block or filesystem")
}

func parseProperties(n *node) ([]string, error) {
	items, err := n.asList()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, item := range items {
		if s, err := item.asString(); err != nil || s != "transient" {
			return nil, item.unexpected("the only property is transient")
		}
		out = append(out, "transient")
	}
	return out, nil
}

var rangePattern = regexp.MustCompile(`^([0-9]+)(?:(\+)|-([0-9]*))?$`)

// parseMultiple reads how many instances there may be; a maximum of -1 is no maximum.
func parseMultiple(n *node) (least, most int, err error) {
	if _, err := n.asMap(); err != nil {
		return 0, 0, err
	}
	r := n.get("range")
	const rule = "a range is m, m-n or m+"
	if count, ok := r.scalar.(int); ok {
		return exactly(r, count)
	}
	s, err := r.asString()
	if err != nil {
		return 0, 0, r.unexpected(rule)
	}
	m := rangePattern.FindStringSubmatch(s)
	bad := r.schemaError(rule, "value %q does not match 'm', 'm-n', or 'm+'", clip(s))
	if m == nil {
		return 0, 0, bad
	}
	if least, err = strconv.Atoi(m[1]); err != nil {
		return 0, 0, bad
	}
	switch {
	case m[1] == s:
		return exactly(r, least)
	case m[3] == "":
		return least, -1, nil
	}
	if most, err = strconv.Atoi(m[3]); err != nil {
		return 0, 0, bad
	}
	return least, most, nil
}

func exactly(n *node, count int) (int, int, error) {
	if count <= 0 {
		return 0, 0, n.schemaError("there is at least one instance", "invalid count %d", count)
	}
	return count, count, nil
}

const sizeUnits = "MGTPEZY"

// parseSize reads a size in MiB: a number with an optional unit. Its errors have no path in Juju.
func parseSize(n *node) (uint64, error) {
	text, err := n.asString()
	if err != nil {
		return 0, err
	}
	const rule = `a size is a number and a unit, such as "10G"; without unit it is MiB`
	number, unit := text, ""
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '.' && !unicode.IsDigit(r) }); i > 0 {
		number, unit = text[:i], text[i:]
	}
	factor := 1.0
	if unit != "" {
		i := strings.IndexByte(sizeUnits, unit[0])
		if i < 0 || !slices.Contains([]string{"", "B", "iB"}, unit[1:]) {
			return 0, n.refuse(rule, "%sinvalid multiplier suffix %q, expected one of %s", n.doc.prefix, clip(unit), sizeUnits)
		}
		factor = math.Pow(1024, float64(i))
	}
	value, err := strconv.ParseFloat(number, 64)
	if size := math.Ceil(value * factor); err == nil && value >= 0 && size < math.MaxInt64 {
		return uint64(size), nil
	}
	return 0, n.refuse(rule, "%sexpected a non-negative number, got %q", n.doc.prefix, clip(number))
}

// checkStorages makes Juju's checks after parsing (section 8.1).
func (p *metaParser) checkStorages() error {
	for _, f := range p.root.get("storage").fields {
		s := p.meta.Storage[f.name]
		lead := fmt.Sprintf("charm %q storage %q: ", p.meta.Name, s.Name)
		switch {
		case s.Location != "" && s.Type == "block":
			return f.val.get("location").refuse("only a filesystem has a location",
				"%slocation may not be specified for \"type: block\"", lead)
		case s.CountMax == 0:
			return f.val.get("multiple").get("range").refuse("the maximum is at least 1",
				"%sinvalid maximum count 0", lead)
		}
	}
	return nil
}

// parseDevices reads the devices section (section 8.2).
func parseDevices(n *node) (map[string]Device, error) {
	fields, err := n.asMap()
	if err != nil {
		return nil, err
	}
	out := make(map[string]Device, len(fields))
	for _, f := range fields {
		if err := checkName(f.val, "device", f.name); err != nil {
			return nil, err
		}
		if out[f.name], err = parseDevice(f.name, f.val); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseDevice(name string, n *node) (Device, error) {
	d := Device{Name: name, CountMin: 1, CountMax: 1}
	fields, err := n.asMap()
	if err != nil {
		return d, err
	}
	for _, f := range fields {
		switch f.name {
		case "type":
			d.Type, err = f.val.asString()
		case "description":
			d.Description, err = f.val.asString()
		case "countmin":
			d.CountMin, err = parseCount(f.val)
		case "countmax":
			d.CountMax, err = parseCount(f.val)
		}
		if err != nil {
			return d, err
		}
	}
	_, err = n.get("type").asString()
	return d, err
}

func parseCount(n *node) (int, error) {
	count, err := n.asInt()
	if err == nil && count < 0 {
		err = n.refuse("a count is 0 or more", "%sinvalid device count %d", n.doc.prefix, count)
	}
	return count, err
}

func (p *metaParser) checkDevices() error {
	for _, f := range p.root.get("devices").fields {
		d := p.meta.Devices[f.name]
		lead := fmt.Sprintf("charm %q device %q: ", p.meta.Name, d.Name)
		if d.Type == "" {
			return f.val.get("type").refuse("the type is not empty", "%stype must be specified", lead)
		}
		if d.CountMax < d.CountMin {
			err := f.val.refuse("countmax is at least countmin",
				"%smaximum count %d can not be smaller than minimum count %d", lead, d.CountMax, d.CountMin)
			if !f.val.has("countmax") {
				err.Hint = "set countmax too: it is 1 if the charm does not say"
			}
			return err
		}
	}
	return nil
}
