package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"kith"
	"kith/contract"
	"kith/internal/shipped"
)

// importFiles reads a file, or every file of a folder that may describe an
// interface, in order of path. Paths are absolute inside: an interface may be told by
// the folders a file is in.
func importFiles(name string) ([]contract.Import, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, kith.Errorf(kith.NotFound, "cannot read %q: %v", name, reasonOf(err))
	}
	if !info.IsDir() {
		i, err := importFile(name, name)
		return []contract.Import{i}, err
	}
	var imports []contract.Import
	err = filepath.WalkDir(name, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !d.Type().IsRegular() || !contract.Known(p) {
			return err
		}
		rel, err := filepath.Rel(name, p)
		if err != nil {
			return err
		}
		i, err := importFile(p, rel)
		imports = append(imports, i)
		return err
	})
	if err != nil {
		return nil, kith.Errorf(kith.Forbidden, "cannot read %q: %v", name, reasonOf(err))
	}
	return imports, nil
}

// importFile reads one file and shows it under a shorter name.
func importFile(name, shown string) (contract.Import, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return contract.Import{}, err
	}
	info, err := os.Stat(name)
	if err != nil {
		return contract.Import{}, err
	}
	if info.Size() > contract.MaxFileBytes {
		return contract.Import{Path: filepath.ToSlash(shown), Refused: "the file is larger than any contract"}, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return contract.Import{}, err
	}
	i := contract.ImportFile(contract.File{Path: filepath.ToSlash(abs), Text: text})
	i.Path = filepath.ToSlash(shown)
	return i, nil
}

// reasonOf is what the system said, without the path it was said of.
func reasonOf(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// findContract reads the contract a command names: a file, a folder that
// describes one interface, or an interface kith has a contract of.
func (x *call) findContract(name string) (*contract.Contract, error) {
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		c, err := shipped.Find(name)
		if kith.CodeOf(err) == kith.NotFound {
			return nil, noContract(x.program, name, "kith")
		}
		return c, err
	}
	merged, err := x.importContracts(name)
	if err != nil {
		return nil, err
	}
	if len(merged) == 1 {
		return merged[0], nil
	}
	return nil, kith.Errorf(kith.Invalid, "cannot use %q: it holds %d contracts, and one is wanted", name, len(merged)).
		WithHint("name the folder of one version of one interface")
}

// What is said of a folder without a file that describes an interface.
const (
	nothingToImport = "no file in it describes an interface"
	whatIsImported  = "a contract is a .yaml file, a JSON Schema called provider.json, requirer.json or peer.json, or a schema.py"
)

func noContract(program, name, who string) error {
	return kith.Errorf(kith.NotFound, "cannot find the contract %q: there is no such file, and %s has none of that name", name, who).
		WithHint("'%s contract list' shows those it has", program)
}

// importContracts reads the contracts of a file or a folder, one at least. What is left out
// of them is said.
func (x *call) importContracts(name string) ([]*contract.Contract, error) {
	imports, err := importFiles(name)
	if err != nil {
		return nil, err
	}
	if len(imports) == 0 {
		return nil, kith.Errorf(kith.Invalid, "cannot use %q: %s", name, nothingToImport).WithHint(whatIsImported)
	}
	for _, i := range imports {
		if i.Refused != "" && len(imports) == 1 {
			return nil, kith.Errorf(kith.Invalid, "cannot use %q: %s", name, i.Refused)
		}
		if i.Refused != "" {
			x.warn("%s is left out: %s", i.Path, i.Refused)
		}
	}
	merged, notes := contract.Merge(imports)
	for _, n := range notes {
		x.warn("%s", n)
	}
	if len(merged) == 0 {
		return nil, kith.Errorf(kith.Invalid, "cannot use %q: it says nothing about what any side writes", name)
	}
	return merged, nil
}

// parseRole reads the flag --role.
func parseRole(s string) (kith.Role, error) {
	switch role := kith.Role(s); role {
	case kith.Provider, kith.Requirer, kith.Peer:
		return role, nil
	}
	return "", usagef("role %q is none of provider, requirer, peer", s)
}

// completeRoles proposes values for --role.
func completeRoles(context.Context, *call, []string) []string {
	return []string{string(kith.Provider), string(kith.Requirer), string(kith.Peer)}
}
