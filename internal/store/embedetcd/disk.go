package embedetcd

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

const (
	// minFree is what must stay free beside a write: the next extension of the
	// database (16 MiB), the next segments of the log, a snapshot, and what others
	// write until we look again.
	minFree = 64 << 20
	// writeCopies is how often a write ends up on the disk: log, database, and the
	// database's copies of pages it changes.
	writeCopies = 4
	// Maintenance is due after so many bytes, or writes.
	maintainBytes  = 64 << 20
	maintainWrites = 2_000
)

// Admit implements store.Host: it refuses a write there may be no room for. etcd
// itself stops for good when a write fails, so it must not be tried.
func (s *Server) Admit(bytes int) error {
	if s.alive.Err() != nil {
		return context.Cause(s.alive)
	}
	if err := s.room(bytes); err != nil {
		return err
	}
	if writes, written := s.writes.Add(1), s.written.Add(int64(bytes)); writes >= maintainWrites || written >= s.cfg.maintainBytes {
		select {
		case s.enough <- struct{}{}:
		default:
		}
	}
	return nil
}

func (s *Server) room(bytes int) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(s.dir, &fs); err != nil {
		return nil // then a write will tell
	}
	free := int64(min(fs.Bavail, 1<<40)) * int64(fs.Bsize)
	if need := s.cfg.reserve + writeCopies*int64(bytes); free < need {
		return full(s.dir, fmt.Errorf("the disk is full: %d MiB are free, %d MiB are needed", free>>20, (need+1<<20-1)>>20))
	}
	return nil
}
