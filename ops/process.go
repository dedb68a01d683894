package ops

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"kith"
)

// ProcessCaller starts a process for each call, as shell charms do: it works under any
// Juju host. The tools are found on the PATH of this process.
type ProcessCaller struct{}

// Call starts the tool. Errors: [ErrToolNotFound]; Invalid for more than the arguments of a process
// can be, 128 KiB each; Unavailable for a process or file that cannot be had.
func (ProcessCaller) Call(c ToolCall) (ToolResult, error) {
	args := c.Args
	if len(c.Private) > 0 {
		file, err := privateFile(c.Private)
		if err != nil {
			return ToolResult{}, kith.Errorf(kith.Unavailable, "cannot run %q: %v", c.Tool, err)
		}
		defer os.Remove(file) //nolint:errcheck // in a folder that is swept
		args = append(args[:len(args):len(args)], "--file", file)
	}
	cmd := exec.Command(c.Tool, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if c.Stdin != nil {
		cmd.Stdin = bytes.NewReader(c.Stdin)
	}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
	case errors.Is(err, exec.ErrNotFound):
		return ToolResult{}, &toolNotFound{c.Tool}
	case errors.Is(err, syscall.E2BIG):
		return ToolResult{}, kith.Errorf(kith.Invalid, "cannot run %q: what it is given is too long for this host", c.Tool)
	case err != nil:
		return ToolResult{}, kith.Errorf(kith.Unavailable, "cannot run %q: %v", c.Tool, err)
	}
	return ToolResult{Status: cmd.ProcessState.ExitCode(), Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}, nil
}

type toolNotFound struct{ tool string }

func (e *toolNotFound) Error() string   { return "cannot run " + e.tool + ": not found on PATH" }
func (e *toolNotFound) Is(t error) bool { return t == ErrToolNotFound }

// privateFile writes KEY=VALUE arguments into a file that only this user can read.
func privateFile(args []string) (name string, err error) {
	content := make(map[string]string, len(args))
	for _, a := range args {
		key, value, _ := strings.Cut(a, "=")
		content[key] = value
	}
	data, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp("", "secret-*.json") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(f.Name()) //nolint:errcheck // the first error is the one to report
		return "", err
	}
	return f.Name(), nil
}
