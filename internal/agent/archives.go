package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"kith"
	"kith/internal/api"
)

// archives are the charm archives on this host, each fetched once for all units.
type archives struct {
	dirs  dirs
	fetch func(ctx context.Context, id string) (io.ReadCloser, error)
	mu    sync.Mutex // held while an archive is fetched
}

// unpack makes a unit's charm directory that of the archive id, which it fetches
// if need be. See the function unpack.
func (s *archives) unpack(ctx context.Context, d unitDir, id string) error {
	return unpack(d, id, func() (string, error) { return s.get(ctx, id) })
}

// get is the path of the archive, whose bytes have the right sum.
func (s *archives) get(ctx context.Context, id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := s.dirs.archive(id)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	_, err := insist(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, s.download(ctx, id, path) })
	return path, err
}

func (s *archives) download(ctx context.Context, id, path string) (err error) {
	body, err := s.fetch(ctx, id)
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // only read
	f, err := os.CreateTemp(s.dirs.root, "charm-")
	if err != nil {
		return kith.Errorf(kith.Internal, "cannot store charm %.12s: %v", id, err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // it is not there after success
	sum := sha256.New()
	if _, err = io.Copy(io.MultiWriter(f, sum), body); err != nil {
		_ = f.Close() // the first error is the one to report
		return kith.Errorf(kith.Unavailable, "cannot fetch charm %.12s: %v", id, err)
	}
	if err := f.Close(); err != nil {
		return kith.Errorf(kith.Internal, "cannot store charm %.12s: %v", id, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != id {
		return kith.Errorf(kith.Internal, "cannot use charm %.12s: its bytes have the sum %s", id, got).
			WithHint("the archive is damaged; refresh the application from its charm")
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return kith.Errorf(kith.Internal, "cannot store charm %.12s: %v", id, err)
	}
	return nil
}

// clean deletes the folders of units and models that are not in keep, and archives
// that are not in used.
func (a *Agent) clean(keep []api.HostUnit, used map[string]bool) error {
	dirs, err := a.dirs.strangers(keep)
	for _, dir := range dirs {
		err = errors.Join(err, removeTree(dir))
	}
	a.charms.mu.Lock()
	defer a.charms.mu.Unlock()
	files, e := os.ReadDir(a.dirs.charms())
	err = errors.Join(err, e)
	for _, f := range files {
		if !used[f.Name()] {
			err = errors.Join(err, os.Remove(filepath.Join(a.dirs.charms(), f.Name())))
		}
	}
	return err
}
