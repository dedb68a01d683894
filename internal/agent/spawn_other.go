//go:build !linux

package agent

import "syscall"

// diesWithParent says that no process of the agent outlives it.
const diesWithParent = false

func dieWithParent(*syscall.SysProcAttr) {}
