package core

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Settings are configuration values: strings, bools, int64 and float64. Their
// JSON form keeps whole numbers whole, however large.
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
		n, ok := v.(json.Number)
		if !ok {
			continue
		}
		whole, err := n.Int64()
		if err == nil && !strings.ContainsAny(n.String(), ".eE") {
			raw[key] = whole
			continue
		}
		f, err := n.Float64()
		if err != nil {
			return err
		}
		raw[key] = f
	}
	*s = raw
	return nil
}
