package dispatch

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"kith/internal/api"
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

// A hook that cannot be started is told apart from one that is not there.
func TestExplainStart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{"#!/nosuch/python3 -u\nprint()\n", `no such file or directory: the interpreter "/nosuch/python3" of start`},
		{"#!/bin/sh\r\necho\r\n", "no such file or directory: the first line of start ends in a carriage return, which makes it part of the interpreter's name"},
		{"echo hello\n", "exec format error: start neither begins with #! nor is it a program for this computer"},
		{"", "exec format error: start neither begins with #! nor is it a program for this computer"},
	} {
		path := filepath.Join(t.TempDir(), "start")
		if err := os.WriteFile(path, []byte(test.text), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := start(Event{Script: Script{Path: path}, Dir: filepath.Dir(path), Output: NewOutput(func(api.Level, string) {})})
		if err == nil || Reason(err).Error() != test.want {
			t.Errorf("%q: got %v, want %s", test.text, err, test.want)
		}
	}
}
