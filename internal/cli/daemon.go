package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"kith"
)

// What is in the controller's data folder, apart from what its parts put there.
const (
	socketName = "kith.sock"
	pidName    = "kith.pid"
	logsName   = "logs"
	logName    = "controller.log"
	// etcdURLsName holds the URLs of an etcd cluster, and how to be let in, if the data is in one.
	etcdURLsName = "etcd.urls"
)

// readyVariable names the file descriptor on which a controller in the background
// says that it answers, or why it does not.
const readyVariable = "KITH_READY_FD"

// maxSocketPath is how long the path of a unix socket may be: 108 bytes on Linux
// and 104 on macOS, with one to end it.
const maxSocketPath = 103

// news is what a starting controller says to the one who started it: an error, or none.
type news struct {
	Error *kith.Error `json:"error,omitempty"`
	PID   int         `json:"pid,omitempty"`
}

// start starts a controller in the background and returns when it answers. Its
// life is its own: it survives the caller, its terminal and its session.
func (d *daemon) start(ctx context.Context) (news, error) {
	self, err := os.Executable()
	if err != nil {
		return news{}, fmt.Errorf("cannot find the kith program: %w", err)
	}
	log, err := d.openLog()
	if err != nil {
		return news{}, err
	}
	defer log.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return news{}, fmt.Errorf("cannot start the controller: %w", err)
	}
	defer r.Close()
	cmd := exec.Command(self, d.args()...)
	cmd.Args[0] = "kith"
	// The home is said, since the process finds another one by itself: it is called kith and not
	// juju, and lives in another folder than the one a relative KITH_HOME starts from.
	cmd.Env = append(os.Environ(), readyVariable+"=3", "KITH_HOME="+d.home.dir)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{w}
	cmd.Dir = "/" // so that no folder is kept from being unmounted or removed
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return news{}, fmt.Errorf("cannot start the controller: %w", err)
	}
	n, err := awaitNews(ctx, r)
	if err != nil {
		return news{}, d.abandon(ctx, cmd, err)
	}
	return n, cmd.Process.Release()
}

// abandon ends a controller that has not come up, and says why.
func (d *daemon) abandon(ctx context.Context, cmd *exec.Cmd, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
		if kill := cmd.Process.Signal(syscall.SIGTERM); kill != nil && !errors.Is(kill, os.ErrProcessDone) {
			err = errors.Join(err, kill)
		}
	}
	exit := cmd.Wait()
	var e *kith.Error
	if errors.As(err, &e) || ctx.Err() != nil {
		return err
	}
	return kith.Errorf(kith.Internal, "the controller ended before it answered: %v", exit).
		WithHint("its log is %s", filepath.Join(d.data, logsName, logName))
}

// awaitNews reads what a starting controller says.
func awaitNews(ctx context.Context, r *os.File) (news, error) {
	stop := context.AfterFunc(ctx, func() { r.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var n news
	line, err := bufio.NewReader(r).ReadBytes('\n')
	if err != nil {
		return n, err
	}
	if err := json.Unmarshal(line, &n); err != nil {
		return n, err
	}
	if n.Error != nil {
		return n, n.Error
	}
	return n, nil
}

// announce tells whoever started this process in the background how it went.
func announce(getenv func(string) string, n news) error {
	fd, err := strconv.Atoi(getenv(readyVariable))
	if err != nil {
		return nil // nobody is waiting
	}
	os.Unsetenv(readyVariable) // no child of ours has anything to say there
	f := os.NewFile(uintptr(fd), "ready")
	defer f.Close()
	return json.NewEncoder(f).Encode(n)
}

// daemon is the controller of one data folder, seen from outside.
type daemon struct {
	data string
	home home // of whoever starts it
	etcd etcdChoice
	more []string // other flags of up, passed on as they are
}

// args is the command line of the controller's own process.
func (d *daemon) args() []string {
	return slices.Concat([]string{"up", "--foreground", "--data", d.data}, d.etcd.args(), d.more)
}

func (d *daemon) socket() string { return filepath.Join(d.data, socketName) }

// prepare makes the data folder, for this user alone.
func (d *daemon) prepare() error {
	if n := len(d.socket()); n > maxSocketPath {
		return kith.Errorf(kith.Invalid, "cannot use data folder %q: the path of its socket would have %d bytes, and %d is the most", d.data, n, maxSocketPath).
			WithHint("choose a shorter one with --data DIR, or a shorter KITH_HOME")
	}
	if err := os.MkdirAll(filepath.Join(d.data, logsName), 0o700); err != nil {
		return d.unusable(err)
	}
	if err := os.Chmod(d.data, 0o700); err != nil {
		return d.unusable(err)
	}
	return nil
}

// unusable is the refusal of a data folder that is not ours.
func (d *daemon) unusable(err error) error {
	return kith.Errorf(kith.Invalid, "cannot use data folder %q: %v", d.data, err).
		WithHint("choose a folder of your own with --data DIR, or another KITH_HOME")
}

// maxLog is the size from which a start begins a new log and keeps one old one.
// The controller says little; a year of starts and warnings fits.
const maxLog = 8 << 20

func (d *daemon) openLog() (*os.File, error) {
	path := filepath.Join(d.data, logsName, logName)
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, fmt.Errorf("cannot set the controller's log aside: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the controller's log: %w", err)
	}
	return f, nil
}

// lock takes the data folder for this process until release is called or the
// process ends, however it ends. Errors: Conflict if a controller has it.
func (d *daemon) lock() (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(d.data, pidName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the data folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, kith.Errorf(kith.Conflict, "cannot use data folder %q: a controller%s is running on it", d.data, d.pidText()).
			WithHint("stop it with 'kith down', or choose another folder with --data DIR")
	}
	if err = f.Truncate(0); err == nil {
		_, err = fmt.Fprintln(f, os.Getpid())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot lock the data folder: %w", err)
	}
	return func() { f.Close() }, nil
}

// pid is the process that has, or had, the data folder; 0 if unknown.
func (d *daemon) pid() int {
	text, err := os.ReadFile(filepath.Join(d.data, pidName))
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return n
}

func (d *daemon) pidText() string {
	if pid := d.pid(); pid > 0 {
		return fmt.Sprintf(" (process %d)", pid)
	}
	return ""
}

// running reports whether a process has the data folder.
func (d *daemon) running() (bool, error) {
	f, err := os.Open(filepath.Join(d.data, pidName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot look at the controller: %w", err)
	}
	defer f.Close()
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot look at the controller: %w", err)
	}
	return false, nil
}

// awaitEnd returns when no process has the data folder any more.
func (d *daemon) awaitEnd(ctx context.Context) error {
	f, err := os.Open(filepath.Join(d.data, pidName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot wait for the controller: %w", err)
	}
	defer f.Close()
	// The lock is waited for in a goroutine of its own, since nothing interrupts
	// it: it ends with the controller, or with this process.
	locked := make(chan error, 1)
	go func() { locked <- unix.Flock(int(f.Fd()), unix.LOCK_SH) }()
	select {
	case err := <-locked:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// clean removes the socket a dead controller left behind. The caller holds the
// lock, or knows that nobody does.
func (d *daemon) clean() error {
	err := os.Remove(d.socket())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
