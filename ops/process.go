package ops

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
)

// ProcessCaller starts a process for each call, as shell charms do: it works under any
// Juju host. The tools are found on the PATH of this process.
type ProcessCaller struct{}

// Call starts the tool. Errors: [ErrToolNotFound], those of starting a process.
func (ProcessCaller) Call(c ToolCall) (ToolResult, error) {
	args := c.Args
	if len(c.Private) > 0 {
		file, err := privateFile(c.Private)
		if err != nil {
			return ToolResult{}, err
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
	case err != nil:
		return ToolResult{}, err
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
