package opstest

import (
	"slices"

	"kith/internal/hooktool"
	"kith/ops"
)

// backend is what the charm has of the world: the real tools, called in process.
func (r *hookRun) backend() ops.Backend { return ops.NewToolBackend(caller{r}) }

type caller struct{ r *hookRun }

// Call makes one call of a tool.
func (c caller) Call(t ops.ToolCall) (ops.ToolResult, error) {
	args := t.Args
	if len(t.Private) > 0 {
		args = slices.Concat(t.Args, t.Private)
	}
	if err := c.r.fault(atCall); err != nil {
		return ops.ToolResult{}, err
	}
	res := c.r.run.Exec(hooktool.Call{Tool: t.Tool, Args: args, Dir: "/", StdinSupplied: t.Stdin != nil, Stdin: t.Stdin})
	return ops.ToolResult{Status: int(res.Code), Stdout: res.Stdout, Stderr: res.Stderr}, nil
}
