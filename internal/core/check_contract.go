package core

import "kith/contract"

func (c *checker) contracts() {
	rows := 0
	for row := range c.m.contracts.all() {
		rows++
		t, ok := c.m.terms.get(row.Interface)
		c.assert(ok && t.Row == row && t.Checker != nil && contract.FoldName(t.Interface) == row.Interface, "I21",
			"the contract of %s is not what it says", row.Interface)
	}
	c.assert(rows == c.m.terms.size(), "I21", "%d contracts are compiled, and there are %d", c.m.terms.size(), rows)
	for a := range c.m.Apps() {
		info := c.m.Charm(a.Charm)
		for endpoint := range a.Contracts { // any order: a check
			ok := info == nil
			if !ok {
				_, ok = info.Charm.Meta.Endpoint(endpoint)
			}
			c.assert(ok, "I21", "there is a mode of contracts for %s:%s, and no such endpoint", a.Name, endpoint)
		}
	}
}
