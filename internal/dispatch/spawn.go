package dispatch

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
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

// explainStart says more about a program that is there and cannot be started than the kernel does, whose
// "no such file or directory" is about the interpreter that the first line of a script names.
func explainStart(path string, err error) error {
	f, openErr := os.Open(path)
	if openErr != nil {
		return err
	}
	defer f.Close()
	line, readErr := bufio.NewReader(io.LimitReader(f, maxInterpreterLine)).ReadString('\n')
	if readErr != nil && readErr != io.EOF {
		return err
	}
	name := filepath.Base(path)
	interpreter, script := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "#!")
	switch {
	case errors.Is(err, syscall.ENOENT) && script && strings.HasSuffix(interpreter, "\r"):
		return fmt.Errorf("%w: the first line of %s ends in a carriage return, which makes it part of the interpreter's name", syscall.ENOENT, name)
	case errors.Is(err, syscall.ENOENT) && script:
		interpreter, _, _ = strings.Cut(strings.TrimSpace(interpreter), " ")
		return fmt.Errorf("%w: the interpreter %q of %s", syscall.ENOENT, interpreter, name)
	case errors.Is(err, syscall.ENOEXEC) && !script:
		return fmt.Errorf("%w: %s neither begins with #! nor is it a program for this computer", syscall.ENOEXEC, name)
	}
	return err
}

// maxInterpreterLine is more than the kernel reads of the first line of a script.
const maxInterpreterLine = 512
