package shipped

import (
	"testing"

	"kith"
	"kith/contract"
)

// Every contract of ours says of its examples what they say (Parse sees to that), and
// has an example of a bag that is right and of one that is wrong.
func TestAll(t *testing.T) {
	t.Parallel()
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"postgresql_client", "mysql_client", "mongodb_client", "kafka_client", "opensearch_client",
		"tls-certificates", "prometheus_scrape", "ingress", "cos_agent"} {
		if _, err := Find(name); err != nil {
			t.Error(err)
		}
	}
	for _, c := range all {
		seen := map[contract.State]bool{}
		for _, e := range c.Examples {
			seen[e.State] = true
			if e.Name == "" {
				t.Errorf("%s: an example has no name", c.Interface)
			}
		}
		if !seen[contract.Valid] || !seen[contract.Violating] {
			t.Errorf("%s lacks an example that is valid, or one that is not", c.Interface)
		}
		for _, role := range c.Roles() {
			for _, bag := range []*contract.Bag{c.Side(role).App, c.Side(role).Unit} {
				for _, k := range keysOf(bag) {
					if k.Description == "" {
						t.Errorf("%s: %s does not say what it is", c.Interface, k.Name)
					}
				}
			}
		}
	}
}

func keysOf(b *contract.Bag) []contract.Key {
	if b == nil {
		return nil
	}
	return b.Keys
}

func TestFindNothing(t *testing.T) {
	t.Parallel()
	if _, err := Find("unheard-of"); kith.CodeOf(err) != kith.NotFound {
		t.Error(err)
	}
	if c, err := Find("tls_certificates"); err != nil || c.Interface != "tls-certificates" {
		t.Error("names do not fold:", err)
	}
}
