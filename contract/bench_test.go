package contract

import (
	"fmt"
	"strings"
	"testing"

	"kith"
)

// BenchmarkCheckBag checks a bag of twenty targets in JSON: the check is a part of every hook commit.
func BenchmarkCheckBag(b *testing.B) {
	c, err := Parse("x.yaml", []byte(`interface: x
provider: {app: {keys: {targets: {required: true, encoding: json, schema: {type: array, items: {type: object, required: [host, port],
  properties: {host: {type: string, minLength: 1}, port: {type: integer, minimum: 1, maximum: 65535}}, additionalProperties: false}}}}}}
`))
	if err != nil {
		b.Fatal(err)
	}
	checker, err := c.Compile()
	if err != nil {
		b.Fatal(err)
	}
	var targets []string
	for i := range 20 {
		targets = append(targets, fmt.Sprintf(`{"host":"10.0.0.%d","port":%d}`, i, 1000+i))
	}
	bag := map[string]string{"targets": "[" + strings.Join(targets, ",") + "]"}
	b.ReportAllocs()
	for b.Loop() {
		if v := checker.CheckBag(kith.Provider, AppBag, bag); v.State != Valid {
			b.Fatal(v)
		}
	}
}
