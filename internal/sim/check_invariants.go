package sim

import (
	"fmt"

	"kith/internal/core"
)

// invariants: core.Check finds nothing, ever.
type invariants struct {
	last *core.Model // which was found to be well
}

func (*invariants) name() string { return "invariants" }

func (c *invariants) turned(_ *World, p *process) string {
	m := p.engine.Snapshot()
	if m == c.last {
		return ""
	}
	c.last = m
	if bad := core.Check(m); len(bad) > 0 {
		return fmt.Sprint(bad)
	}
	return ""
}
