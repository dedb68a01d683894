package logs

import (
	"os"
	"path/filepath"
	"sync"
	"time"

	"kith"
)

// Limits bound what is kept and taken. The zero value of a field stands for its default.
type Limits struct {
	Segment int64 // bytes of one file
	Total   int64 // bytes of one model's files
	Message int   // bytes of one message; the rest is cut off
	// Rate and Burst bound the bytes of one entity, per second and at once.
	Rate, Burst int64
}

// The defaults: a model keeps a few days of busy work, and one entity can take at
// most half of it at once.
const (
	defaultSegment = 4 << 20
	defaultTotal   = 64 << 20
	defaultMessage = 64 << 10
	defaultRate    = 1 << 20
	defaultBurst   = 32 << 20
)

// Logs holds the logs of all models of a controller.
type Logs struct {
	dir    string
	limits Limits
	now    func() time.Time

	mu   sync.Mutex
	open map[kith.ModelUUID]*Log
}

// Open uses a folder, which is made if needed. now is the clock for rates.
func Open(dir string, limits Limits, now func() time.Time) (*Logs, error) {
	set := func(field *int64, value int64) {
		if *field == 0 {
			*field = value
		}
	}
	set(&limits.Segment, defaultSegment)
	set(&limits.Total, defaultTotal)
	set(&limits.Rate, defaultRate)
	set(&limits.Burst, defaultBurst)
	if limits.Message == 0 {
		limits.Message = defaultMessage
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, kith.Errorf(kith.Internal, "cannot make the log folder: %v", err)
	}
	return &Logs{dir: dir, limits: limits, now: now, open: make(map[kith.ModelUUID]*Log)}, nil
}

// Model is the log of a model. The name of a folder must be a UUID's.
func (l *Logs) Model(id kith.ModelUUID) (*Log, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if log := l.open[id]; log != nil {
		return log, nil
	}
	if id == "" || filepath.Base(string(id)) != string(id) || id[0] == '.' {
		return nil, kith.Errorf(kith.Invalid, "invalid model UUID %q", id)
	}
	log, err := openLog(filepath.Join(l.dir, string(id)), l.limits, l.now)
	if err != nil {
		return nil, err
	}
	l.open[id] = log
	return log, nil
}

// Remove deletes a model's log. Its readers end.
func (l *Logs) Remove(id kith.ModelUUID) error {
	log, err := l.Model(id)
	if err != nil {
		return err
	}
	l.mu.Lock()
	delete(l.open, id)
	l.mu.Unlock()
	log.close()
	if err := os.RemoveAll(log.dir); err != nil {
		return kith.Errorf(kith.Internal, "cannot remove the log of model %q: %v", id, err)
	}
	return nil
}

// Close closes all logs. Their readers end.
func (l *Logs) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, log := range l.open { // any order: all of them
		log.close()
		delete(l.open, id)
	}
}
