package core

import "kith"

func (c *checker) storage() {
	held := map[string]bool{}
	for s := range c.m.Storages() {
		u := c.m.Unit(s.Unit)
		c.assert(s.Unit == "" || u != nil && u.Host == s.Host, "I20", "storage %s is held by %s, which is not there", s.ID, s.Unit)
		c.assert(s.Unit != "" || !s.Attached && !s.Detaching, "I20", "storage %s is held by nobody, and attached", s.ID)
		c.assert(s.Life != kith.Dead || s.Unit == "", "I20", "storage %s is dead, and held by %s", s.ID, s.Unit)
		c.assert((s.Life == kith.Alive) == (s.Fate == KeepStorage), "I20", "storage %s is %s, and its fate is %q", s.ID, s.Life, s.Fate)
		c.assert(s.Life != kith.Dying || s.Unit != "", "I20", "storage %s is dying, and held by nobody", s.ID)
		c.assert(s.ID.Number() < c.m.Info().NextStorage, "I10", "storage %s is not below the counter", s.ID)
		if s.Unit != "" {
			held[string(s.Unit)+indexSeparator+string(s.ID)] = true
		}
	}
	n := 0
	c.m.storageIndex.rows.ascend("", func(key string, _ struct{}) bool {
		n++
		c.assert(held[key], "I20", "the index of storage has %q", key)
		return true
	})
	c.assert(n == len(held), "I20", "the index of storage has %d entries for %d", n, len(held))
}
