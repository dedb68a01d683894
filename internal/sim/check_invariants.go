package sim

import (
	"fmt"

	"kith/internal/core"
)

// invariants: core.Check finds nothing, ever.
type invariants struct{}

func (invariants) name() string { return "invariants" }

func (invariants) turned(_ *World, p *process) string {
	if bad := core.Check(p.engine.Snapshot()); len(bad) > 0 {
		return fmt.Sprint(bad)
	}
	return ""
}
