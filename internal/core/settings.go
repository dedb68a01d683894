package core

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Settings are configuration values: strings, bools, int64 and float64; and those of
// actions, which may also be lists and maps. Their JSON form keeps whole numbers whole, however large.
type Settings map[string]any

// UnmarshalJSON reads numbers without a fraction as int64, others as float64.
func (s *Settings) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var raw map[string]any
	if err := d.Decode(&raw); err != nil {
		return err
	}
	for key, v := range raw { // any order: each key once
		n, err := numbers(v)
		if err != nil {
			return err
		}
		raw[key] = n
	}
	*s = raw
	return nil
}

// numbers gives the numbers in v their types.
func numbers(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil && !strings.ContainsAny(v.String(), ".eE") {
			return n, nil
		}
		return v.Float64()
	case map[string]any:
		for k, e := range v { // any order: each key once
			if v[k], err = numbers(e); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, e := range v {
			if v[i], err = numbers(e); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}
