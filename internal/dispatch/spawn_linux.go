package dispatch

import "syscall"

// DiesWithParent says that no process of the agent outlives it.
const DiesWithParent = true

func dieWithParent(s *syscall.SysProcAttr) { s.Pdeathsig = syscall.SIGKILL }
