package agent

import (
	"os"
	"runtime"
	"syscall"
)

// spawner starts processes from one thread that lives as long as the agent. On
// linux the kernel kills them when that thread is gone, so that the death of an
// agent, however sudden, is the death of its hooks, and no hook of its next life
// runs beside one of the last. Elsewhere see leftover.
//
// One thread is no bottleneck: package syscall starts one process at a time anyway.
type spawner struct{ jobs chan *spawnJob }

type spawnJob struct {
	argv []string
	attr *os.ProcAttr
	proc *os.Process
	err  error
	done chan struct{}
}

func newSpawner() spawner { return spawner{make(chan *spawnJob)} }

// run starts processes until close. It may return only when those have ended.
func (s spawner) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for j := range s.jobs {
		j.proc, j.err = os.StartProcess(j.argv[0], j.argv, j.attr)
		close(j.done)
	}
}

func (s spawner) close() { close(s.jobs) }

// start starts a process group of its own, so that Ctrl-C on a terminal reaches
// the agent and not the hooks it is about to let finish.
func (s spawner) start(argv []string, dir string, env []string, files []*os.File) (*os.Process, error) {
	sys := &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(sys)
	j := &spawnJob{argv: argv, attr: &os.ProcAttr{Dir: dir, Env: env, Files: files, Sys: sys}, done: make(chan struct{})}
	s.jobs <- j
	<-j.done
	return j.proc, j.err
}
