package ops

import (
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"

	"kith"
)

// Load reads the databag of a unit or an application into the exported fields of a
// struct. The databag tag of a field says which key it is for:
//
//	Host  string   `databag:"host,text"`
//	Ports []int    `databag:"ports"`
//	Local string   `databag:"-"`
//
// Without a tag the key is the field's name; the fields of an embedded struct count as the
// struct's own. A value is JSON, as the load and save of
// charms in Python have it, unless the tag says text: then it stands as it is, for
// strings, bools, numbers, and what marshals itself as text.
//
// A key that is not there leaves its field as it is, and keys without a field are
// ignored. A struct with a method Validate() error is asked at the end. Errors: those
// of reading, [*RelationDataTypeError].
func (r *Relation) Load(owner Owner, into any) error {
	bag, err := r.Data(owner).read()
	if err != nil {
		return err
	}
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return kith.Errorf(kith.Invalid, "cannot load a databag into a %T: want a pointer to a struct", into)
	}
	for _, f := range bagFields(v.Elem()) {
		text, ok := bag.get(f.key)
		if !ok {
			continue
		}
		if err := f.decode(text); err != nil {
			return &RelationDataTypeError{Key: f.key, Type: f.value.Type().String(), Err: err}
		}
	}
	return validate(into)
}

// Save writes the fields of a struct into the databag of the own unit or application,
// in one call, by the rules of [Relation.Load]. A field that is a nil pointer, or zero
// with "omitempty" in its tag, deletes its key, and so does an empty text; keys
// without a field stay. Errors: as [RelationData.Update], [*RelationDataTypeError].
func (r *Relation) Save(owner Owner, from any) error {
	v := reflect.Indirect(reflect.ValueOf(from))
	if v.Kind() != reflect.Struct {
		return kith.Errorf(kith.Invalid, "cannot save a %T in a databag: want a struct", from)
	}
	set := map[string]string{}
	for _, f := range bagFields(v) {
		text, err := f.encode()
		if err != nil {
			return &RelationDataTypeError{Key: f.key, Type: f.value.Type().String(), Err: err}
		}
		set[f.key] = text
	}
	return r.Data(owner).Update(set)
}

// bagField is a field of a struct and the key it is for.
type bagField struct {
	key             string
	text, omitEmpty bool
	value           reflect.Value
}

func bagFields(v reflect.Value) []bagField {
	var fields []bagField
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, options, _ := strings.Cut(f.Tag.Get("databag"), ",")
		if f.Anonymous && key == "" && f.Type.Kind() == reflect.Struct {
			fields = append(fields, bagFields(v.Field(i))...)
			continue
		}
		if key == "-" && options == "" || !f.IsExported() {
			continue
		}
		if key == "" {
			key = f.Name
		}
		fields = append(fields, bagField{
			key: key, value: v.Field(i),
			text: hasOption(options, "text"), omitEmpty: hasOption(options, "omitempty"),
		})
	}
	return fields
}

func hasOption(options, name string) bool {
	for o := range strings.SplitSeq(options, ",") {
		if o == name {
			return true
		}
	}
	return false
}

func (f bagField) encode() (string, error) {
	nothing := f.value.Kind() == reflect.Pointer && f.value.IsNil()
	if nothing || f.omitEmpty && f.value.IsZero() {
		return "", nil
	}
	if !f.text {
		data, err := json.Marshal(f.value.Interface())
		return string(data), err
	}
	v := reflect.Indirect(f.value)
	m, ok := f.value.Interface().(encoding.TextMarshaler)
	if !ok && reflect.PointerTo(f.value.Type()).Implements(reflect.TypeFor[encoding.TextMarshaler]()) { // as Load reads it
		own := reflect.New(f.value.Type())
		own.Elem().Set(f.value)
		m, ok = own.Interface().(encoding.TextMarshaler)
	}
	if ok {
		text, err := m.MarshalText()
		return string(text), err
	}
	switch {
	case v.Kind() == reflect.String:
		return v.String(), nil
	case v.Kind() == reflect.Bool: // these as Load reads them, whatever their type calls itself
		return strconv.FormatBool(v.Bool()), nil
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), nil
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), nil
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits()), nil
	}
	return "", errors.New("it cannot be written as text")
}

func (f bagField) decode(text string) error {
	target := f.value
	if !f.text {
		return json.Unmarshal([]byte(text), target.Addr().Interface())
	}
	if target.Kind() == reflect.Pointer {
		if target.IsNil() {
			target.Set(reflect.New(target.Type().Elem()))
		}
		target = target.Elem()
	}
	if u, ok := target.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch {
	case target.Kind() == reflect.String:
		target.SetString(text)
		return nil
	case target.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(text) // as "True" too, which Python writes
		target.SetBool(b)
		return err
	case target.CanInt(), target.CanUint(), target.CanFloat():
		return json.Unmarshal([]byte(text), target.Addr().Interface())
	}
	return errors.New("it cannot be read from text")
}
