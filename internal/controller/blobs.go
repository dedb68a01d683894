package controller

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"syscall"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/gcerrors"

	"kith"
)

// Blobs keeps charm archives under the SHA-256 of their bytes. One that is there
// is whole and right; it is never changed.
type Blobs struct {
	bucket *blob.Bucket
	dir    string // of a local bucket; empty for others
	limit  int64
}

var blobID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// OpenBlobs opens a directory, which is made if needed. Archives larger than limit are refused.
func OpenBlobs(dir string, limit int64) (*Blobs, error) {
	bucket, err := fileblob.OpenBucket(dir, &fileblob.Options{CreateDir: true, DirFileMode: 0o700, NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		return nil, kith.Errorf(kith.Internal, "cannot open the charm store %s: %v", dir, err)
	}
	return &Blobs{bucket: bucket, dir: dir, limit: limit}, nil
}

// OpenBlobsURL opens any bucket that gocloud.dev/blob has a driver for in this program.
func OpenBlobsURL(ctx context.Context, u string, limit int64) (*Blobs, error) {
	if _, err := url.Parse(u); err != nil {
		return nil, kith.Errorf(kith.Invalid, "cannot open the charm store %q: %v", u, err)
	}
	bucket, err := blob.OpenBucket(ctx, u)
	if err != nil {
		return nil, kith.Errorf(kith.Invalid, "cannot open the charm store %q: %v", u, err)
	}
	return &Blobs{bucket: bucket, limit: limit}, nil
}

// Close closes the bucket.
func (b *Blobs) Close() error { return b.bucket.Close() }

func checkBlobID(id string) error {
	if !blobID.MatchString(id) {
		return kith.Errorf(kith.Invalid, "invalid charm archive id %q", id).WithHint("it is the SHA-256 of the archive, in hex")
	}
	return nil
}

// Has reports whether an archive is there.
func (b *Blobs) Has(ctx context.Context, id string) (bool, error) {
	if err := checkBlobID(id); err != nil {
		return false, err
	}
	ok, err := b.bucket.Exists(ctx, id)
	return ok, b.failure("look for", id, err)
}

// Require refuses an archive that is not there. Errors: NotFound.
func (b *Blobs) Require(ctx context.Context, id string) error {
	ok, err := b.Has(ctx, id)
	if err == nil && !ok {
		return notThere(id)
	}
	return err
}

func notThere(id string) error {
	return kith.Errorf(kith.NotFound, "charm archive %q not found", id).WithHint("it must be uploaded before the charm is added")
}

// Put stores what r holds, if its sum is id. Nothing is kept of anything else.
// Errors: Invalid for another sum or too large an archive.
func (b *Blobs) Put(ctx context.Context, id string, r io.Reader) error {
	there, err := b.Has(ctx, id)
	if err != nil || there {
		return err
	}
	writing, cancel := context.WithCancel(ctx)
	defer cancel() // before Close it takes the write back
	w, err := b.bucket.NewWriter(writing, id, &blob.WriterOptions{ContentType: "application/zip", DisableContentTypeDetection: true})
	if err != nil {
		return b.failure("store", id, err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, sum), io.LimitReader(r, b.limit+1))
	switch got := hex.EncodeToString(sum.Sum(nil)); {
	case diskFull(err):
		err = b.failure("store", id, err)
	case err != nil:
		err = kith.Errorf(kith.Unavailable, "cannot store charm archive %q: %v", id, err)
	case n > b.limit:
		err = kith.Errorf(kith.Invalid, "cannot store charm archive %q: it is larger than the limit of %d bytes", id, b.limit).
			WithHint("the limit is on the size of a charm archive")
	case got != id:
		err = kith.Errorf(kith.Invalid, "cannot store charm archive %q: its SHA-256 is %s", id, got).WithHint("it was damaged on its way; try again")
	}
	if err != nil {
		cancel()
		w.Close()
		return err
	}
	if err := w.Close(); err != nil {
		return b.failure("store", id, err)
	}
	return b.sync(id)
}

// sync makes a local archive durable: the model that names it will be.
func (b *Blobs) sync(id string) error {
	if b.dir == "" {
		return nil
	}
	for _, path := range []string{filepath.Join(b.dir, id), b.dir} {
		f, err := os.Open(path)
		if err != nil {
			return b.failure("store", id, err)
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return b.failure("store", id, err)
		}
	}
	return nil
}

// Get opens an archive. Errors: NotFound.
func (b *Blobs) Get(ctx context.Context, id string) (io.ReadCloser, int64, error) {
	if err := checkBlobID(id); err != nil {
		return nil, 0, err
	}
	r, err := b.bucket.NewReader(ctx, id, nil)
	if err != nil {
		return nil, 0, b.failure("read", id, err)
	}
	return r, r.Size(), nil
}

func (b *Blobs) failure(verb, id string, err error) error {
	switch {
	case err == nil:
		return nil
	case gcerrors.Code(err) == gcerrors.NotFound:
		return notThere(id)
	case diskFull(err):
		return kith.Errorf(kith.Unavailable, "cannot %s charm archive %q: the disk is full", verb, id).
			WithHint("make room on the disk of %s; nothing was changed", cmp.Or(b.dir, "the archives"))
	}
	return fmt.Errorf("cannot %s charm archive %q: %w", verb, id, err)
}

// diskFull reports whether there was no room for what was to be written.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
