package dispatch

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// The tries to start a program that is busy: 1 ms apart at first, then twice that,
// and so on: two seconds in all.
const (
	firstBusyPause = time.Millisecond
	busyTries      = 11
)

// startProcess starts a program. One that was just unpacked may be "busy" for a
// moment: a process that another thread is starting has inherited the file that was
// being written, and closes it only when it becomes its own program.
func startProcess(argv []string, attr *os.ProcAttr) (*os.Process, error) {
	for try := 0; ; try++ {
		proc, err := os.StartProcess(argv[0], argv, attr)
		if !errors.Is(err, syscall.ETXTBSY) || try == busyTries {
			return proc, err
		}
		time.Sleep(firstBusyPause << try)
	}
}

// startGroup starts a process group of its own, so that Ctrl-C on a terminal reaches
// the agent and not the hooks it is about to let finish.
//
// On linux the kernel kills the process when the thread that started it is gone, so that the death
// of an agent, however sudden, is the death of its hooks, and no hook of its next life
// runs beside one of the last. The caller has locked its thread, therefore, until the process has ended.
// Elsewhere the agent notes what it runs: see leftover.
func startGroup(argv []string, dir string, env []string, files []*os.File) (*os.Process, error) {
	sys := &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(sys)
	return startProcess(argv, &os.ProcAttr{Dir: dir, Env: env, Files: files, Sys: sys})
}
