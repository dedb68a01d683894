package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/dispatch"
)

// imageFile is what resource-get gives for an image (hook protocol reference, section 13.4).
const imageFile = "content.yaml"

// Resource brings a resource into the unit's folder, unless it is there: its path is
// resources/NAME/FILE, as in Juju (hook protocol reference, section 3.10).
func (h *toolHost) Resource(r core.ResourceContext) (string, error) {
	ctx, cancel := context.WithTimeout(h.ctx, toolPatience)
	defer cancel()
	return h.unit.fetchResource(ctx, r)
}

// fetchResource is Resource. Calls of one unit come one at a time.
func (u *unit) fetchResource(ctx context.Context, r core.ResourceContext) (string, error) {
	file := r.Filename
	if r.Image != "" {
		file = imageFile
	}
	// Both are checked when the charm is read; a path is built of them, so once more here.
	if !plainName(r.Name) || !plainName(file) {
		return "", kith.Errorf(kith.Invalid, "cannot use the file name %q of resource %q", file, r.Name)
	}
	dir := filepath.Join(u.dir.resources(), r.Name)
	path := filepath.Join(dir, file)
	known, err := readFetched(u.dir.fetched())
	if err != nil {
		return "", kith.Errorf(kith.Internal, "cannot tell what was fetched: %v", dispatch.Reason(err))
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && known[r.Name] == r.Sum() {
		return path, nil
	}
	if err := u.fetchInto(ctx, dir, file, r); err != nil {
		return "", err
	}
	known[r.Name] = r.Sum()
	if err := known.write(u.dir.fetched()); err != nil {
		return "", kith.Errorf(kith.Internal, "cannot note what was fetched: %v", dispatch.Reason(err))
	}
	return path, nil
}

// plainName reports whether a name stays in the folder it is put into.
func plainName(name string) bool {
	return name != "" && name != "." && name != ".." && filepath.Base(name) == name
}

// fetchInto makes dir hold the file of a resource, whole and right, and nothing else.
func (u *unit) fetchInto(ctx context.Context, dir, file string, r core.ResourceContext) error {
	if err := os.MkdirAll(u.dir.resources(), 0o700); err != nil {
		return cannotStore(r, err)
	}
	fresh, err := os.MkdirTemp(u.dir.resources(), ".fetch-")
	if err != nil {
		return cannotStore(r, err)
	}
	defer os.RemoveAll(fresh) //nolint:errcheck // it is not there after success
	path := filepath.Join(fresh, file)
	if r.Image != "" {
		text, err := yaml.Marshal(map[string]string{"registrypath": r.Image, "username": "", "password": ""})
		if err == nil {
			err = os.WriteFile(path, text, 0o600)
		}
		if err != nil {
			return cannotStore(r, err)
		}
	} else if err := u.download(ctx, path, r); err != nil {
		return err
	}
	if err := removeTree(dir); err != nil {
		return cannotStore(r, err)
	}
	if err := os.Rename(fresh, dir); err != nil {
		return cannotStore(r, err)
	}
	return nil
}

func (u *unit) download(ctx context.Context, path string, r core.ResourceContext) error {
	_, err := insist(ctx, func(ctx context.Context) (struct{}, error) {
		body, err := u.agent.Controller.Blob(ctx, r.SHA256)
		if err != nil {
			return struct{}{}, err
		}
		defer body.Close() //nolint:errcheck // only read
		return struct{}{}, writeSummed(path, body, r)
	})
	if err != nil && ctx.Err() != nil {
		return kith.Errorf(kith.Unavailable, "the controller did not answer in time")
	}
	return err
}

// writeSummed writes a file whose bytes must have the right sum.
func writeSummed(path string, body io.Reader, r core.ResourceContext) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return cannotStore(r, err)
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, sum), io.LimitReader(body, api.MaxBlob))
	switch closed := f.Close(); {
	case err != nil:
		return kith.Errorf(kith.Unavailable, "cannot fetch resource %q: %v", r.Name, err)
	case closed != nil:
		return cannotStore(r, closed)
	case hex.EncodeToString(sum.Sum(nil)) != r.SHA256:
		return kith.Errorf(kith.Internal, "cannot use resource %q: its bytes have another sum than %.12s", r.Name, r.SHA256).
			WithHint("the stored file is damaged; attach the resource again")
	}
	return nil
}

func cannotStore(r core.ResourceContext, err error) error {
	return kith.Errorf(kith.Internal, "cannot store resource %q: %v", r.Name, dispatch.Reason(err))
}

// fetched says of each resource which content its folder holds.
type fetched map[string]string

func readFetched(path string) (fetched, error) {
	var f fetched
	err := readNote(path, &f)
	if f == nil {
		f = fetched{}
	}
	return f, err
}

func (f fetched) write(path string) error { return writeNote(path, f) }
