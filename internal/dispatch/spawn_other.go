//go:build !linux

package dispatch

import "syscall"

// DiesWithParent says that no process of the agent outlives it.
const DiesWithParent = false

func dieWithParent(*syscall.SysProcAttr) {}
