package ops

import (
	"fmt"
	"maps"
	"reflect"
	"strings"

	"kith"
)

// Config is the application's configuration: the options that are set or have a
// default, as string, bool, int64 or float64. An option of type secret is its id.
type Config map[string]any

// Config is read once in a dispatch. The caller may keep and change the map.
func (m *Model) Config() (Config, error) {
	if m.config == nil {
		c, err := m.f.backend.ConfigGet()
		if err != nil {
			return nil, err
		}
		if m.config = c; c == nil {
			m.config = Config{}
		}
	}
	return maps.Clone(m.config), nil
}

// LoadConfig reads the configuration into a struct: see [Config.Load]. A field of type *[Secret] is
// for an option of type secret, and nil if that is not set. Its content is read when it is
// asked for, which fails while the charm's application was not granted the secret.
func (m *Model) LoadConfig(into any) error {
	c, err := m.Config()
	if err != nil {
		return err
	}
	return c.load(into, m)
}

// Load reads the options into the exported fields of a struct. A field is for the
// option its config tag names, or else for the one whose name is the field's without
// dashes: LogLevel for log-level; the tag "-" leaves it out. Fields are strings,
// bools, integers or floats, or pointers to such. An option without a value leaves its
// field as it is, so what was there is the default; options without a field are ignored.
//
// A struct with a method Validate() error is asked at the end, and its error returned:
// to block the unit on bad configuration,
//
//	if err := m.LoadConfig(&c.config); err != nil {
//		return ops.StatusError(ops.BlockedStatus(err.Error()))
//	}
//
// Errors: Invalid for a value that does not fit its field.
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
	v = v.Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name := field.Tag.Get("config")
		if name == "-" || !field.IsExported() {
			continue
		}
		if name == "" {
			name = plain[plainName(field.Name)]
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
	return validate(into)
}

func plainName(s string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s))
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
