package agent

import (
	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// bagKey names a databag within a model.
type bagKey struct {
	relation kith.RelationID
	owner    string
}

// bagCacheLimit bounds, in bytes, what a unit's cache holds. A charm with larger
// bags reads them again, which is allowed: data may be newer than announced.
const bagCacheLimit = 4 << 20

// bagCache keeps the bags of announced members from hook to hook, until a joined or
// changed hook for that very unit starts, the unit departs, or the agent restarts
// (relations reference, section 6.5). Bags of applications and of units that are
// not announced are read anew in each hook. The zero value is empty. One hook of a
// unit runs at a time, and so do its tools: no lock is needed.
type bagCache struct {
	bags map[bagKey]map[string]string
	size int
}

func (c *bagCache) get(k bagKey) (map[string]string, bool) {
	data, ok := c.bags[k]
	return data, ok
}

func (c *bagCache) put(k bagKey, data map[string]string) {
	size := bagBytes(data)
	if c.size+size > bagCacheLimit {
		c.bags, c.size = nil, 0
	}
	if size > bagCacheLimit {
		return
	}
	if c.bags == nil {
		c.bags = map[bagKey]map[string]string{}
	}
	c.drop(k)
	c.bags[k] = data
	c.size += size
}

func (c *bagCache) drop(k bagKey) {
	if data, ok := c.bags[k]; ok {
		c.size -= bagBytes(data)
		delete(c.bags, k)
	}
}

func bagBytes(data map[string]string) int {
	const overhead = 64 // of an entry, about
	n := overhead
	for k, v := range data { // any order: a sum
		n += len(k) + len(v) + overhead
	}
	return n
}

// fill prepares the cache for a hook: what the hook makes old goes, and what came
// with it is kept. It returns what the hook sees.
func (c *bagCache) fill(a *api.Assignment) *core.HookContext {
	members := announced(&a.Context)
	for k := range c.bags { // any order: a set is thinned out
		if !members[k] {
			c.drop(k)
		}
	}
	if r := a.Hook.Relation; r != nil {
		c.drop(bagKey{r.ID, string(r.RemoteUnit)})
	}
	for _, b := range a.Context.Bags {
		if k := (bagKey{b.Relation, b.Owner}); members[k] {
			c.put(k, b.Data)
		}
	}
	return &a.Context
}

// announced are the bags of the members the unit has been told of.
func announced(c *core.HookContext) map[bagKey]bool {
	members := map[bagKey]bool{}
	for _, r := range c.Relations {
		for _, u := range r.Members {
			members[bagKey{r.ID, string(u)}] = true
		}
	}
	return members
}
