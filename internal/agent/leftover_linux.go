package agent

import (
	"bytes"
	"errors"
	"os"
	"strconv"
)

// processStart is when pid was started, in a form that only compares. A process
// that has ended and was not yet waited for is no process any more.
func processStart(pid int) (string, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", err
	}
	// "pid (name) state ...": the name may hold anything, so count from its end.
	const startTime = 22 - 2 // fields before it: pid and name
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < startTime || fields[0][0] == 'Z' {
		return "", errors.New("no such process")
	}
	return string(fields[startTime-1]), nil
}

// bootID tells one start of the machine from another.
func bootID() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // without it, process start times must do
	return string(bytes.TrimSpace(id))
}
