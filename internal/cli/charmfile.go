package cli

import (
	"archive/zip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kith"
	"kith/charm"
	"kith/internal/core"
)

// isCharmPath reports whether an argument names a charm by where it is.
func isCharmPath(s string) bool {
	return strings.ContainsRune(s, filepath.Separator) || strings.HasSuffix(s, ".charm") || s == "." || s == ".."
}

// checkCharmPath refuses what is no place of a charm, in Juju's words (CLI
// reference, section 7.1).
func (x *call) checkCharmPath(path string) error {
	info, err := os.Stat(path)
	switch {
	case !isCharmPath(path) && err == nil && info.IsDir():
		return kith.Errorf(kith.Invalid, "The charm or bundle %q is ambiguous.\n"+
			"To deploy a local charm or bundle, run `%[2]s deploy ./%[1]s`.\n"+
			"To deploy a charm or bundle from CharmHub, run `%[2]s deploy ch:%[1]s`.", path, x.program)
	case !isCharmPath(path):
		return kith.Errorf(kith.NotFound, "failed to deploy charm %q", path).
			WithHint("kith deploys charms from a folder or a .charm file: download it and give its path, such as ./%s.charm",
				strings.TrimPrefix(path, "ch:"))
	case errors.Is(err, fs.ErrNotExist):
		return kith.Errorf(kith.NotFound, "charm or bundle at %q not found", path)
	case err != nil:
		return fmt.Errorf("cannot open the charm: %w", err)
	case !info.IsDir() && !info.Mode().IsRegular(), !info.IsDir() && !strings.HasSuffix(path, ".charm"):
		return kith.Errorf(kith.Invalid, "invalid charm or bundle provided at %q", path).
			WithHint("a charm is a folder or a .charm file")
	}
	return nil
}

// localCharm is a charm read from a path, ready to be sent.
type localCharm struct {
	path  string
	charm *charm.Charm
	file  *os.File // the archive
	temp  bool     // the archive was made for this call
	id    string   // SHA-256 of the archive, hex
	size  int64
}

// openCharm reads and checks the charm at path, and packs it if it is a folder.
func (x *call) openCharm(path string) (*localCharm, error) {
	if err := x.checkCharmPath(path); err != nil {
		return nil, err
	}
	c := &localCharm{path: path}
	if err := c.open(); err != nil {
		c.close()
		if kith.CodeOf(err) == kith.NotFound {
			return nil, kith.Errorf(kith.NotFound, "no charm was found at %q", path).WithHint("%s", kith.HintOf(err))
		}
		return nil, err
	}
	return c, nil
}

func (c *localCharm) open() error {
	info, err := os.Stat(c.path)
	if err != nil {
		return fmt.Errorf("cannot open the charm: %w", err)
	}
	if err := charm.CheckRunnable(c.path); err != nil {
		return err
	}
	if info.IsDir() {
		err = c.pack()
	} else {
		c.file, err = os.Open(c.path)
	}
	if err != nil {
		return err
	}
	if c.charm, err = charm.ReadArchive(c.file.Name()); err != nil {
		return err
	}
	return c.sum()
}

// sum finds out the archive's id and size, and winds it back.
func (c *localCharm) sum() error {
	sum := sha256.New()
	var err error
	if c.size, err = io.Copy(sum, c.file); err == nil {
		_, err = c.file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("cannot read the charm: %w", err)
	}
	c.id = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// another puts an archive with the same files and an id of its own in place of the one to be sent:
// what differs is the archive's comment.
func (c *localCharm) another() error {
	in, err := zip.NewReader(c.file, c.size)
	if err != nil {
		return fmt.Errorf("cannot read the charm: %w", err)
	}
	to, err := os.CreateTemp("", "kith-*.charm")
	if err != nil {
		return fmt.Errorf("cannot pack the charm: %w", err)
	}
	w := zip.NewWriter(to)
	for _, f := range in.File {
		err = errors.Join(err, w.Copy(f))
	}
	err = errors.Join(err, w.SetComment("kith: "+rand.Text()), w.Close())
	c.close()
	c.file, c.temp = to, true
	if err != nil {
		return fmt.Errorf("cannot pack the charm: %w", err)
	}
	if _, err := to.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("cannot pack the charm: %w", err)
	}
	return c.sum()
}

// pack makes an archive of a charm's folder.
func (c *localCharm) pack() error {
	f, err := os.CreateTemp("", "kith-*.charm")
	if err != nil {
		return fmt.Errorf("cannot pack the charm: %w", err)
	}
	c.file, c.temp = f, true
	if err := charm.Pack(c.path, f); err != nil {
		return err
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

func (c *localCharm) close() {
	if c.file == nil {
		return
	}
	c.file.Close()
	if c.temp {
		os.Remove(c.file.Name())
	}
}

// send makes the charm known to the model.
func (c *localCharm) send(ctx context.Context, x *call) error {
	known, err := x.api.HasBlob(ctx, c.id)
	if err != nil {
		return err
	}
	if !known {
		if err := x.api.PutBlob(ctx, c.id, c.file, c.size); err != nil {
			return err
		}
	}
	where, err := filepath.Abs(c.path)
	if err != nil {
		where = c.path
	}
	_, err = x.do(ctx, core.AddCharm{ID: c.id, Path: where, Charm: *c.charm})
	return err
}
