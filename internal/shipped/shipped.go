// Package shipped holds the contracts that come with kith: those of the interfaces
// charms use most, each with examples. They are written from what the public
// catalogue and the charms themselves show, and ask for no more than charms in the
// field write. Each is readable as it stands: see the files beside this one.
package shipped

import (
	"embed"
	"io/fs"

	"kith"
	"kith/contract"
)

//go:embed *.yaml
var files embed.FS

// All reads every contract there is, in order of name.
// Errors: Internal; a contract of ours that cannot be read is our fault.
func All() ([]*contract.Contract, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
	var all []*contract.Contract
	for _, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err != nil {
			return nil, err
		}
		c, err := contract.Parse(e.Name(), text)
		if err != nil {
			return nil, kith.Errorf(kith.Internal, "cannot read a contract of kith's own: %v", err)
		}
		all = append(all, c)
	}
	return all, nil
}

// Find reads the contract of an interface; names compare with - and _ folded.
// Errors: NotFound.
func Find(name string) (*contract.Contract, error) {
	all, err := All()
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if contract.SameInterface(c.Interface, name) {
			return c, nil
		}
	}
	return nil, kith.Errorf(kith.NotFound, "kith has no contract of interface %q", name)
}
