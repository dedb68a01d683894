package cli

import (
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"kith"
	"kith/charm"
)

// quiet is how long a folder must be left alone before a change counts as saved:
// editors write a file in several steps, and builds write many.
const quiet = 50 * time.Millisecond

// folderWatch watches the folders of a charm, those that come later too.
type folderWatch struct {
	changed chan struct{} // holds one
	failed  chan error    // gets one at most

	dir     string
	watcher *fsnotify.Watcher
	running sync.WaitGroup
}

// watchFolder begins to watch. Changes after it returns are not missed.
func watchFolder(dir string) (*folderWatch, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, cannotWatch(dir, err)
	}
	w := &folderWatch{changed: make(chan struct{}, 1), failed: make(chan error, 1), dir: dir, watcher: watcher}
	if err := w.add(); err != nil {
		watcher.Close()
		return nil, err
	}
	w.running.Go(w.run)
	return w, nil
}

func cannotWatch(dir string, err error) error {
	return kith.Errorf(kith.Unavailable, "cannot watch %q: %v", dir, err).
		WithHint("if there are too many watches, raise fs.inotify.max_user_watches")
}

// add watches every folder that belongs to the charm; those watched before stay so.
func (w *folderWatch) add() error {
	folders, err := charm.Folders(w.dir)
	if err != nil {
		return err
	}
	for _, f := range folders {
		path := filepath.Join(w.dir, f)
		if err := w.watcher.Add(path); err != nil {
			return cannotWatch(path, err)
		}
	}
	return nil
}

// run passes changes on until close.
func (w *folderWatch) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		select {
		case _, ok := <-w.watcher.Events:
			if !ok {
				return
			}
			timer.Reset(quiet)
		case err, ok := <-w.watcher.Errors:
			if !ok {
				return
			}
			if err != nil {
				w.failed <- fmt.Errorf("cannot watch %q any more: %w", w.dir, err)
				return
			}
		case <-timer.C:
			// A folder may have come, or gone between the look and the watch: then another event follows.
			_ = w.add()
			select {
			case w.changed <- struct{}{}:
			default:
			}
		}
	}
}

func (w *folderWatch) close() {
	w.watcher.Close()
	w.running.Wait()
}
