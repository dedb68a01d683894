package agent

import "syscall"

// diesWithParent says that no process of the agent outlives it.
const diesWithParent = true

func dieWithParent(s *syscall.SysProcAttr) { s.Pdeathsig = syscall.SIGKILL }
