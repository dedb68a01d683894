package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"kith"
	"kith/charm"
	"kith/internal/core"
)

// pairsFlag is a flag that takes NAME=VALUE and may be repeated; a name may not.
type pairsFlag map[string]string

func (p pairsFlag) String() string { return "" }
func (p pairsFlag) Type() string   { return "stringArray" }

func (p pairsFlag) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" || value == "" {
		return fmt.Errorf("badly formatted name value pair: %s", s)
	}
	if _, twice := p[name]; twice {
		return fmt.Errorf("duplicate name specified: %q", name)
	}
	p[name] = value
	return nil
}

// directivesFlag is the flag --storage: NAME=DIRECTIVE, and may be repeated.
type directivesFlag map[string]core.StorageDirective

func (d directivesFlag) String() string { return "" }
func (d directivesFlag) Type() string   { return "stringArray" }

func (d directivesFlag) Set(s string) error {
	name, text, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return fmt.Errorf("expected <store>=<directive>")
	}
	if _, twice := d[name]; twice {
		return fmt.Errorf("storage %q specified more than once", name)
	}
	directive, err := core.ParseStorageDirective(text)
	if err != nil {
		return fmt.Errorf("cannot parse disk storage directive: %s", err)
	}
	d[name] = directive
	return nil
}

// directives are the flag's values, or nil.
func (d directivesFlag) directives() map[string]core.StorageDirective {
	if len(d) == 0 {
		return nil
	}
	return d
}

// storageIDs reads lists of storage ids, separated by commas.
func storageIDs(lists []string) ([]kith.StorageID, error) {
	var ids []kith.StorageID
	for _, list := range lists {
		for _, s := range strings.Fields(commaSpace(list)) {
			id, err := kith.ParseStorageID(s)
			if err != nil {
				return nil, usagef("storage ID %q not valid", s)
			}
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// sendResources uploads the files that were given for resources, as far as the controller does not
// have them, and says what was given. types are those the charm declares.
func (x *call) sendResources(ctx context.Context, given map[string]string, types map[string]string) (map[string]core.ResourceFile, error) {
	var all map[string]core.ResourceFile
	for name, value := range given { // any order: a map again
		file := core.ResourceFile{Image: value}
		if types[name] != charm.ImageResource {
			var err error
			if file, err = x.sendFile(ctx, name, value); err != nil {
				return nil, err
			}
		}
		if all == nil {
			all = map[string]core.ResourceFile{}
		}
		all[name] = file
	}
	return all, nil
}

// sendFile uploads one file.
func (x *call) sendFile(ctx context.Context, name, path string) (file core.ResourceFile, err error) {
	f, err := os.Open(path)
	if err != nil {
		return file, kith.Errorf(kith.Invalid, "cannot read resource %q: %v", name, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sum := sha256.New()
	if file.Size, err = io.Copy(sum, f); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return file, kith.Errorf(kith.Invalid, "cannot read resource %q: %v", name, err)
	}
	file.SHA256 = hex.EncodeToString(sum.Sum(nil))
	known, err := x.api.HasBlob(ctx, file.SHA256)
	if err != nil || known {
		return file, err
	}
	return file, x.api.PutBlob(ctx, file.SHA256, io.NopCloser(f), file.Size)
}

// resourceTypes are the types of a charm's resources by name.
func resourceTypes(c *charm.Charm) map[string]string {
	types := map[string]string{}
	for name, r := range c.Meta.Resources { // any order: a map again
		types[name] = r.Type
	}
	return types
}

// readBind reads --bind, which may say what is so anyway, and returns the endpoints it names (CLI
// reference, section 8.4).
func readBind(bind string, c *charm.Charm) ([]string, error) {
	var names []string
	for _, e := range c.Meta.Endpoints() {
		names = append(names, string(e.Name))
	}
	return readBindings(strings.Fields(bind), append(names, c.Meta.ExtraBindings...))
}
