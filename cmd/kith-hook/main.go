// Command kith-hook is every hook tool: relation-get, status-set and the others are
// symbolic links to it. It is told by the name it is called by which one it is,
// passes the call to the unit agent named in its environment, and prints the answer.
//
// A charm starts it many times in each hook, so it links next to nothing; the
// dependency list is pinned by a test.
package main

import (
	"os"

	"kith/internal/hookwire"
)

func main() {
	os.Exit(hookwire.Main(hookwire.Process{
		Args:   os.Args,
		Getenv: os.Getenv,
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
	}))
}
