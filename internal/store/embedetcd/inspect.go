package embedetcd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"kith"
)

// lockWait is how long to wait for the database's own lock. Ours is held, so nobody
// but a stray etcd can have it.
const lockWait = time.Second

// inspect looks for the kinds of damage that etcd would overwrite, hang on, or start
// over from, without changing anything. Errors: Conflict, Unavailable.
func inspect(dir string) error {
	db := filepath.Join(dir, "member", "snap", "db")
	logs, err := filepath.Glob(filepath.Join(dir, "member", "wal", "*.wal"))
	if err != nil {
		return damaged(dir, err)
	}
	info, err := os.Stat(db)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if len(logs) > 0 {
			return damaged(dir, errors.New("member/snap/db is missing"))
		}
		return nil
	case err != nil:
		return damaged(dir, err)
	case info.Size() == 0 && len(logs) == 0:
		return nil // killed while the directory was new
	}
	applied, err := inspectDatabase(db, info.Size())
	if err != nil {
		return damaged(dir, fmt.Errorf("member/snap/db: %w", err))
	}
	if len(logs) == 0 {
		if applied > 0 {
			return damaged(dir, errors.New("the write-ahead log in member/wal is missing"))
		}
		return nil
	}
	last, err := inspectLog(slices.Max(logs))
	if err != nil {
		return damaged(dir, fmt.Errorf("the write-ahead log: %w", err))
	}
	if last < applied {
		return damaged(dir, fmt.Errorf("the write-ahead log ends with entry %d, and entry %d was applied", last, applied))
	}
	return nil
}

// inspectLog reads the last segment of the log, and returns the index of its last
// entry. A record that breaks off is no error: a power cut does that to a write that
// was not acknowledged, and etcd cuts it away. It does the same to a record whose
// length was damaged, with all that follows; the index tells those cases apart.
func inspectLog(path string) (last uint64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var seq uint64
	if _, err := fmt.Sscanf(filepath.Base(path), "%016x-%016x.wal", &seq, &last); err != nil {
		return 0, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	last = max(last, 1) - 1 // the name has the first index of the segment
	decoder := wal.NewDecoder(fileutil.NewFileReader(f))
	for {
		var record walpb.Record
		switch err := decoder.Decode(&record); {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return last, nil
		case err != nil:
			return 0, err
		}
		switch record.GetType() {
		case wal.CrcType:
			decoder.UpdateCRC(record.GetCrc())
		case wal.EntryType:
			var entry raftpb.Entry
			if err := proto.Unmarshal(record.Data, &entry); err != nil {
				return 0, err
			}
			last = entry.GetIndex()
		}
	}
}

// inspectDatabase opens the database for reading, and sees that it is as long as it
// says. A page that is not there would be a fault in memory later.
func inspectDatabase(path string, size int64) (applied uint64, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	db, err := bolt.Open(path, fileMode, &bolt.Options{ReadOnly: true, Timeout: lockWait})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.View(func(tx *bolt.Tx) error {
		if tx.Size() > size {
			return fmt.Errorf("it should have %d bytes and has %d", tx.Size(), size)
		}
		if meta := tx.Bucket([]byte("meta")); meta != nil {
			if v := meta.Get([]byte("consistent_index")); len(v) == 8 {
				applied = binary.BigEndian.Uint64(v)
			}
		}
		return nil
	})
	return applied, err
}

func (s *Server) damaged(err error) error { return damaged(s.dir, err) }

// damaged words what kept the server from starting.
func damaged(dir string, err error) error {
	var ours *kith.Error
	switch {
	case errors.As(err, &ours):
		return err
	case isFull(err):
		return full(dir, err)
	case errors.Is(err, fs.ErrPermission):
		return kith.Errorf(kith.Unavailable, "cannot open the store in %s: %v", dir, err).
			WithHint("everything in the directory must belong to this user")
	case errors.Is(err, bolterrors.ErrTimeout):
		return kith.Errorf(kith.Conflict, "cannot open the store in %s: another etcd has its database open", dir).
			WithHint("stop it, or choose another directory with --data")
	}
	return kith.Errorf(kith.Conflict, "cannot open the store in %s: its data is damaged: %v", dir, err).
		WithHint("nothing was deleted: put a backup of the directory in its place, or move it away to start empty")
}

// isFull tells whether a write found no room. etcd does not always wrap the cause.
func isFull(err error) bool {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) || strings.Contains(err.Error(), full.Error()) {
			return true
		}
	}
	return false
}

func full(dir string, err error) error {
	return kith.Errorf(kith.Unavailable, "cannot write to the store in %s: %v", dir, err).
		WithHint("make room on that disk; nothing that was acknowledged is lost")
}
