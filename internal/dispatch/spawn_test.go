package dispatch

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// A program that is open for writing for a moment, as by a process that is just being
// started beside it, is started once it is not.
func TestStartBusyProgram(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only linux calls such a program busy")
	}
	path := filepath.Join(t.TempDir(), "program")
	program, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Skip(err)
	}
	w, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(program); err != nil {
		t.Fatal(err)
	}
	started := make(chan error, 1)
	go func() {
		proc, err := startProcess([]string{path}, &os.ProcAttr{})
		if err == nil {
			_, err = proc.Wait()
		}
		started <- err
	}()
	if _, err := os.StartProcess(path, []string{path}, &os.ProcAttr{}); err == nil {
		t.Error("it was not busy")
	}
	w.Close()
	if err := <-started; err != nil {
		t.Error(err)
	}
}
