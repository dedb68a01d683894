package charm

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"

	"kith"
)

// ParseConfig reads config.yaml (section 13). A file without options is an
// error; options that are empty are not. Errors: Invalid, as [*Error].
func ParseConfig(file string, data []byte) (map[string]Option, error) {
	root, err := parseYAML(&document{file, "invalid config: "}, data)
	if err != nil {
		return nil, err
	}
	return configFromNode(root)
}

func configFromNode(root *node) (map[string]Option, error) {
	if root.kind == nullKind || root.kind == mapKind && !root.has("options") {
		err := root.refuse("config.yaml has the key options", "invalid config: empty configuration")
		err.Hint = "remove the file, or write: options: {}"
		return nil, err
	}
	if _, err := root.asMap(); err != nil {
		return nil, err
	}
	options := map[string]Option{}
	n := root.get("options")
	if n.kind == nullKind {
		return options, nil
	}
	fields, err := n.asMap()
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		if options[f.name], err = parseOption(f.name, f.val); err != nil {
			return nil, err
		}
	}
	return options, nil
}

// parseOption reads one option. An option that is null is a string without default.
func parseOption(name string, n *node) (Option, error) {
	o := Option{Type: StringOption}
	if n.kind != nullKind {
		if _, err := n.asMap(); err != nil {
			return o, err
		}
	}
	for _, text := range []string{"type", "description"} {
		if t := n.get(text); t.kind == listKind || t.kind == mapKind {
			return o, t.expected("string")
		}
	}
	o.Description = n.get("description").raw
	t := n.get("type")
	switch o.Type = OptionType(t.raw); o.Type {
	case "":
		o.Type = StringOption
	case "integer": // Juju 4; 3.6 does not know it
		o.Type = IntOption
	case StringOption, IntOption, FloatOption, BooleanOption, SecretOption:
	default:
		return o, t.refuse("the type is string, int, float, boolean or secret",
			"invalid config: option %q has unknown type %q", name, clip(t.raw))
	}
	def := n.get("default")
	value, ok := o.coerce(def.value())
	if !ok {
		return o, def.refuse(o.Type.rule(), "invalid config default: option %q expected %s, got %s", name, o.Type, def.goSyntax())
	}
	o.Default = value
	return o, nil
}

// rule says in words what values an option of this type takes.
func (t OptionType) rule() string {
	switch t {
	case IntOption:
		return "the value must be a whole number"
	case FloatOption:
		return "the value must be a number, without quotes"
	case BooleanOption:
		return "the value must be true or false"
	case SecretOption:
		return "the value must be empty or begin with secret:"
	default:
		return "the value must be a string; put quotes around it"
	}
}

// coerce brings a value from YAML or JSON into the Go type of the option:
// string, int64, float64 or bool. Nil is "unset" and fits every type. Numbers
// that JSON cannot carry (infinity, not-a-number) fit none.
func (o Option) coerce(v any) (any, bool) {
	if v == nil {
		return nil, true
	}
	switch o.Type {
	case IntOption:
		return coerceInt(v)
	case FloatOption:
		return coerceFloat(v)
	case BooleanOption:
		switch v := v.(type) {
		case bool:
			return v, true
		case string:
			b, err := strconv.ParseBool(v)
			return b, err == nil
		}
	case SecretOption:
		s, ok := v.(string)
		return s, ok && (s == "" || isSecretURI(s))
	default:
		s, ok := v.(string)
		return s, ok
	}
	return nil, false
}

func coerceInt(v any) (any, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	case uint64:
		return int64(v), v <= math.MaxInt64
	case json.Number:
		i, err := v.Int64()
		return i, err == nil
	case string:
		i, err := strconv.ParseInt(v, 0, 64)
		return i, err == nil
	default:
		return nil, false
	}
}

// fromJSON undoes what encoding/json does to whole numbers.
func fromJSON(v any) any {
	const exact = 1 << 53
	if f, ok := v.(float64); ok && f == math.Trunc(f) && math.Abs(f) <= exact {
		return int64(f)
	}
	return v
}

func coerceFloat(v any) (any, bool) {
	switch v := v.(type) {
	case float64:
		return v, !math.IsInf(v, 0) && !math.IsNaN(v)
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	default:
		return nil, false
	}
}

func isSecretURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "secret"
}

// UnmarshalJSON restores the Go type of the default, which plain decoding would
// make a float64.
func (o *Option) UnmarshalJSON(data []byte) error {
	type plain Option
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	var number struct{ Default json.RawMessage }
	if err := json.Unmarshal(data, &number); err != nil {
		return err
	}
	if _, isNumber := p.Default.(float64); isNumber {
		p.Default = json.Number(number.Default)
	}
	value, ok := Option(p).coerce(p.Default)
	if !ok {
		return kith.Errorf(kith.Invalid, "option default expected %s, got %#v", p.Type, p.Default)
	}
	p.Default = value
	*o = Option(p)
	return nil
}

// Defaults returns the value of every option that has a default.
func (c *Charm) Defaults() map[string]any {
	out := map[string]any{}
	for _, name := range sortedKeys(c.Config) {
		if d := c.Config[name].Default; d != nil {
			out[name] = d
		}
	}
	return out
}

// option finds an option. Errors: Invalid.
func (c *Charm) option(name string) (Option, error) {
	o, ok := c.Config[name]
	if !ok {
		return o, kith.Errorf(kith.Invalid, "unknown option %q", name).
			WithHint("charm %q has these options: %s", c.Meta.Name, listed(sortedKeys(c.Config)))
	}
	return o, nil
}

// ValidateConfig brings values that came as JSON, or from elsewhere as Go values,
// into the types of the options (section 13). A nil value stays nil: it means "back to the default".
// The argument is not changed. Errors: Invalid; of several the first by name.
func (c *Charm) ValidateConfig(values map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(values))
	for _, name := range sortedKeys(values) {
		o, err := c.option(name)
		if err != nil {
			return nil, err
		}
		v, ok := o.coerce(fromJSON(values[name]))
		if !ok {
			return nil, o.mismatch(name, values[name])
		}
		out[name] = v
	}
	return out, nil
}

func (o Option) mismatch(name string, v any) error {
	return kith.Errorf(kith.Invalid, "option %q expected %s, got %s", name, o.Type, clip(fmt.Sprintf("%#v", v))).
		WithHint("%s", o.Type.rule())
}

// ParseConfigValue reads the text of one option, as it stands on a command line
// or in an environment. Errors: Invalid.
func (c *Charm) ParseConfigValue(name, text string) (any, error) {
	o, err := c.option(name)
	if err != nil {
		return nil, err
	}
	var v any = text
	switch o.Type {
	case IntOption:
		v, err = strconv.ParseInt(text, 10, 64)
	case FloatOption:
		var f float64
		if f, err = strconv.ParseFloat(text, 64); err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) {
			err = strconv.ErrRange // JSON, in which values are kept, has no such numbers
		}
		v = f
	case BooleanOption:
		v, err = strconv.ParseBool(text)
	}
	if err != nil {
		return nil, o.mismatch(name, text)
	}
	return v, nil
}

// ParseSettings reads a settings file, as --config FILE takes it: YAML with the
// application's name above its options. Scalars are read like text on a command
// line where they are strings. Errors: Invalid.
func (c *Charm) ParseSettings(file string, data []byte, app kith.AppName) (map[string]any, error) {
	root, err := parseYAML(&document{file, ""}, data)
	if err != nil {
		e := err.(*Error)
		e.Reason = "cannot parse settings data: " + e.Reason
		return nil, e
	}
	settings := root.get(string(app))
	if settings.kind != mapKind {
		e := root.refuse("the first level names the application", "no settings found for %q", app)
		e.Hint = fmt.Sprintf("write the options below a line %q", string(app)+":")
		return nil, e
	}
	out := map[string]any{}
	for _, f := range settings.fields {
		o, err := c.option(f.name)
		if err != nil {
			return nil, err
		}
		v, ok := o.coerce(f.val.value())
		if s, isText := f.val.scalar.(string); isText && f.val.kind == scalarKind {
			v, err = c.ParseConfigValue(f.name, s)
			ok = err == nil
		}
		if !ok {
			return nil, f.val.refuse(o.Type.rule(), "option %q expected %s, got %s", f.name, o.Type, f.val.goSyntax())
		}
		out[f.name] = v
	}
	return out, nil
}

// listed joins names for a hint, and stops where the hint would get long.
func listed(names []string) string {
	const most = 20
	out := ""
	for i, n := range names {
		switch {
		case i == most:
			return fmt.Sprintf("%s and %d more", out, len(names)-most)
		case i > 0:
			out += ", "
		}
		out += n
	}
	if out == "" {
		return "none"
	}
	return out
}
