package dispatch

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Spawner starts processes from threads that live as long as the agent. On
// linux the kernel kills them when their thread is gone, so that the death of an
// agent, however sudden, is the death of its hooks, and no hook of its next life
// runs beside one of the last. Elsewhere see leftover.
//
// Package syscall starts one process at a time; but the thread that has started one may wait
// for a processor, behind that very process, while another could start the next.
type Spawner struct{ jobs chan *spawnJob }

// spawners is how many threads start processes.
const spawners = 4

type spawnJob struct {
	argv []string
	attr *os.ProcAttr
	proc *os.Process
	err  error
	done chan struct{}
}

// NewSpawner makes one; somebody has to call its Run.
func NewSpawner() Spawner { return Spawner{make(chan *spawnJob)} }

// Run starts processes until Close. It may return only when those have ended.
func (s Spawner) Run() {
	var threads sync.WaitGroup
	for range spawners {
		threads.Go(s.thread)
	}
	threads.Wait()
}

func (s Spawner) thread() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for j := range s.jobs {
		j.proc, j.err = startProcess(j.argv, j.attr)
		close(j.done)
	}
}

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

// Close ends Run.
func (s Spawner) Close() { close(s.jobs) }

// start starts a process group of its own, so that Ctrl-C on a terminal reaches
// the agent and not the hooks it is about to let finish.
func (s Spawner) start(argv []string, dir string, env []string, files []*os.File) (*os.Process, error) {
	sys := &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(sys)
	j := &spawnJob{argv: argv, attr: &os.ProcAttr{Dir: dir, Env: env, Files: files, Sys: sys}, done: make(chan struct{})}
	s.jobs <- j
	<-j.done
	return j.proc, j.err
}
