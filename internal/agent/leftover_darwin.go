package agent

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// processStart is when pid was started, in a form that only compares. A process
// that has ended and was not yet waited for is no process any more.
func processStart(pid int) (string, error) {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return "", err
	}
	const zombie = 5 // SZOMB
	if int(info.Proc.P_pid) != pid || info.Proc.P_stat == zombie {
		return "", errors.New("no such process")
	}
	start := info.Proc.P_starttime
	return fmt.Sprintf("%d.%06d", start.Sec, start.Usec), nil
}

// bootID tells one start of the machine from another.
func bootID() string {
	id, _ := unix.Sysctl("kern.bootsessionuuid") // without it, process start times must do
	return id
}
