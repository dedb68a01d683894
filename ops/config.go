package ops

import (
	"encoding"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"unicode"

	"kith"
)

// Config is the application's configuration: the options that are set or have a
// default, as string, bool, int64 or float64, by the option's type. An option of type secret is its id.
type Config map[string]any

// Config is read once in a dispatch. The caller may keep and change the map.
func (m *Model) Config() (Config, error) {
	c, err := m.options()
	return maps.Clone(c), err
}

// options is the configuration itself.
func (m *Model) options() (Config, error) {
	if m.config == nil {
		c, err := m.f.backend.ConfigGet()
		if err != nil {
			return nil, err
		}
		if m.config = c; c == nil {
			m.config = Config{}
		}
		m.config.asDeclared(m.f.meta.Options)
	}
	return m.config, nil
}

// asDeclared makes floats of the numbers that config-get writes without a point: 1 for 1.0.
func (c Config) asDeclared(options map[string]OptionMeta) {
	for name, value := range c { // any order: each value alone
		if n, ok := value.(int64); ok && options[name].Type == "float" {
			c[name] = float64(n)
		}
	}
}

// LoadConfig reads the configuration into a struct: see [Config.Load]. A field of type *[Secret] is
// for an option of type secret, and nil if that is not set. Its content is read when it is
// asked for, which fails while the charm's application was not granted the secret.
func (m *Model) LoadConfig(into any) error {
	c, err := m.options()
	if err != nil {
		return err
	}
	return c.load(into, m)
}

// Load reads the options into the exported fields of a struct. A field is for the
// option its config tag names, or else for the one whose name is the field's without
// dashes: LogLevel for log-level; the tag "-" leaves it out. Fields are strings,
// bools, integers or floats, pointers to such, or what reads itself from text
// ([encoding.TextUnmarshaler]), for an option of type string; those of an embedded struct count
// as the struct's own. An option without a value leaves its field as it is, so what was there is
// the default; options without a field are ignored.
//
// A struct with a method Validate() error is asked at the end, and its error returned:
// to block the unit on bad configuration,
//
//	if err := m.LoadConfig(&c.config); err != nil {
//		return ops.StatusError(ops.BlockedStatus(err.Error()))
//	}
//
// Errors: Invalid for a value that does not fit its field and, of [Model.LoadConfig], for a tag
// that names no option of the charm.
func (c Config) Load(into any) error { return c.load(into, nil) }

// load is Load; with a model fields may be secrets.
func (c Config) load(into any, m *Model) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return kith.Errorf(kith.Invalid, "cannot load the configuration into a %T: want a pointer to a struct", into)
	}
	plain := map[string]string{}
	for name := range c { // any order: options that differ by dashes alone need tags
		plain[plainName(name)] = name
	}
	if err := c.loadFields(v.Elem(), plain, m); err != nil {
		return err
	}
	return validate(into)
}

// loadFields reads the options into the fields of a struct; plain finds them by plainName.
func (c Config) loadFields(v reflect.Value, plain map[string]string, m *Model) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name := field.Tag.Get("config")
		if field.Anonymous && name == "" && field.Type.Kind() == reflect.Struct {
			if err := c.loadFields(v.Field(i), plain, m); err != nil {
				return err
			}
			continue
		}
		if name == "-" || !field.IsExported() {
			continue
		}
		if name == "" {
			name = plain[plainName(field.Name)]
		} else if m != nil && !m.hasOption(name) {
			return kith.Errorf(kith.Invalid, "cannot load option %q: the charm has no such option", name).
				WithHint("the configuration of the charm has to name it; see the tag of the field %s", field.Name)
		}
		value, ok := c[name]
		if !ok || value == nil {
			continue
		}
		if id, ok := value.(string); ok && field.Type == reflect.TypeFor[*Secret]() && m != nil {
			if id != "" {
				v.Field(i).Set(reflect.ValueOf(&Secret{m: m, id: id}))
			}
			continue
		}
		if err := setField(v.Field(i), value); err != nil {
			return kith.Errorf(kith.Invalid, "cannot load option %q: %v", name, err)
		}
	}
	return nil
}

// hasOption reports whether the charm declares an option.
func (m *Model) hasOption(name string) bool {
	_, ok := m.f.meta.Options[name]
	return ok
}

func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// setField puts an option's value into a field.
func setField(to reflect.Value, value any) error {
	for to.Kind() == reflect.Pointer {
		if to.IsNil() {
			to.Set(reflect.New(to.Type().Elem()))
		}
		to = to.Elem()
	}
	from := reflect.ValueOf(value)
	if u, ok := to.Addr().Interface().(encoding.TextUnmarshaler); ok && from.Kind() == reflect.String {
		return u.UnmarshalText([]byte(from.String()))
	}
	switch {
	case from.Kind() == to.Kind() || from.CanInt() && to.CanFloat():
		to.Set(from.Convert(to.Type()))
		return nil
	case from.CanInt() && to.CanInt() && !to.OverflowInt(from.Int()):
		to.SetInt(from.Int())
		return nil
	case from.CanInt() && to.CanUint() && from.Int() >= 0 && !to.OverflowUint(uint64(from.Int())):
		to.SetUint(uint64(from.Int()))
		return nil
	case from.CanFloat() && to.CanFloat():
		to.SetFloat(from.Float())
		return nil
	case to.Kind() == reflect.Interface && to.NumMethod() == 0:
		to.Set(from)
		return nil
	}
	return fmt.Errorf("value %v does not fit a field of type %s", value, to.Type())
}

// validate asks a value that has something to say about itself.
func validate(v any) error {
	if checked, ok := v.(interface{ Validate() error }); ok {
		return checked.Validate()
	}
	return nil
}
