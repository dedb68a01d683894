package contract

import (
	"reflect"
	"testing"
)

// What is written is read again as the same: the catalogue, and a contract with one of everything.
func TestYAMLRoundTrip(t *testing.T) {
	t.Parallel()
	c, err := Parse("shop.yaml", []byte(shop))
	if err != nil {
		t.Fatal(err)
	}
	all := []*Contract{c}
	var imports []Import
	for _, f := range corpus(t) {
		imports = append(imports, ImportFile(f))
	}
	merged, _ := Merge(imports)
	if len(merged) < 60 {
		t.Errorf("the catalogue gives only %d contracts", len(merged))
	}
	for _, c := range append(all, merged...) {
		text := c.YAML()
		again, err := Parse(c.Interface, text)
		if err != nil {
			t.Errorf("%s v%d: %v", c.Interface, c.Version, err)
			continue
		}
		if !reflect.DeepEqual(again, c) {
			t.Errorf("%s v%d: read again, it differs:\n%s\n%s", c.Interface, c.Version, encodeJSON(c), encodeJSON(again))
		}
	}
}
