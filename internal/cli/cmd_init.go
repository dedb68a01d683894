package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/scaffold"
)

func initCommand() *command {
	var name, sdk string
	return &command{
		name: "init", args: "[<folder>]", group: groupCharm, scope: noScope,
		summary: "Starts a new charm in Go",
		details: `Writes charmcraft.yaml, the handlers, their tests and what it takes to build them into
the folder, which is made if it is not there. Nothing that is there is changed. The
charm's name is the folder's unless --name gives another.

The charm uses package kith/ops, which its go.mod takes from a checkout of kith on
this computer: that of --sdk, or else the one this program was built in, or the one
around the folder.

A charm in Go is built before it is deployed: "make" there builds its dispatch, and
"deploy" takes the folder as it is.`,
		examples: []example{
			{"init shop", "Start a charm named shop in the folder shop"},
			{"init . --name shop --sdk ~/src/kith", "In this folder, with the kith of that checkout"},
		},
		seeAlso: []string{"deploy", "refresh"},
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&name, "name", "", "Name of the charm")
			f.StringVar(&sdk, "sdk", "", "A checkout of kith")
		},
		check: atMost(1),
		run: func(_ context.Context, x *call, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return x.initCharm(dir, name, sdk)
		},
	}
}

// initCharm writes a new charm into a folder.
func (x *call) initCharm(dir, name, sdk string) error {
	if dir == "" {
		return &usageError{kith.Errorf(kith.Invalid, "cannot start a charm: the folder has no name").WithHint("a dot is this folder")}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	app, err := charmName(name, dir)
	if err != nil {
		return &usageError{err}
	}
	if sdk, err = findSDK(sdk, dir); err != nil {
		return err
	}
	files, err := scaffold.Files(scaffold.Options{Name: app, SDK: sdk})
	if err != nil {
		return err
	}
	if err := writeNew(dir, files); err != nil {
		return err
	}
	x.say("Wrote the charm %q to %s", app, dir)
	x.say("Next: cd %s && make test && make deploy", dir)
	return nil
}

// charmName is the name that was given, or the folder's.
func charmName(given, dir string) (kith.AppName, error) {
	if given != "" {
		return kith.ParseAppName(given)
	}
	name, err := kith.ParseAppName(filepath.Base(dir))
	var bad *kith.Error
	if errors.As(err, &bad) {
		err = bad.WithHint("%s; --name NAME gives the charm another name than its folder's", bad.Hint)
	}
	return name, err
}

// findSDK is the checkout of kith that the charm is to use.
func findSDK(given, dir string) (string, error) {
	if given != "" {
		return filepath.Abs(given)
	}
	program, err := os.Executable()
	if err != nil {
		program = dir
	}
	if program, err = filepath.EvalSymlinks(program); err != nil {
		program = dir
	}
	for _, found := range []string{scaffold.FindSDK(filepath.Dir(program)), scaffold.CompiledFrom(), scaffold.FindSDK(dir)} {
		if found != "" {
			return found, nil
		}
	}
	return "", kith.Errorf(kith.NotFound, "cannot find a checkout of kith for package kith/ops").
		WithHint("name one with --sdk DIR: the folder whose go.mod says: module kith")
}

// writeNew writes files that must not be there yet: all of them or none.
func writeNew(dir string, files []scaffold.File) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return kith.Errorf(kith.Conflict, "cannot start a charm in %q: it is a file", dir).WithHint("name a folder, or a new one")
	}
	for _, f := range files {
		if _, err := os.Lstat(filepath.Join(dir, f.Name)); !errors.Is(err, fs.ErrNotExist) {
			return kith.Errorf(kith.Conflict, "cannot start a charm in %q: there is a file %s already", dir, f.Name).
				WithHint("choose an empty folder, or a new one")
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return kith.Errorf(kith.Forbidden, "cannot make the folder %q: %v", dir, err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
			return kith.Errorf(kith.Forbidden, "cannot write the charm: %v", err)
		}
	}
	return nil
}
