package agent

import "testing"

// HookToolForTest is the program behind the hook tools, built once.
func HookToolForTest(t testing.TB) string { return hookTool(t) }
