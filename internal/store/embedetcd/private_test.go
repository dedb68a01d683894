package embedetcd

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kith/internal/store"
)

var (
	listenRow = regexp.MustCompile(`(?m)^\s*\d+: (\S+) \S+ 0A (?:\S+\s+){5}(\d+)`) // state 0A is LISTEN
	socketFD  = regexp.MustCompile(`^socket:\[(\d+)\]$`)
)

// listeners lists the TCP addresses this process listens on, as the kernel writes them.
func listeners(t *testing.T) (addresses []string) {
	t.Helper()
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(fds) == 0 {
		t.Skip("no /proc on this system")
	}
	ours := map[string]bool{}
	for _, fd := range fds {
		target, _ := os.Readlink(fd) // it may be closed by now
		if m := socketFD.FindStringSubmatch(target); m != nil {
			ours[m[1]] = true
		}
	}
	var tables strings.Builder
	for _, name := range []string{"tcp", "tcp6"} {
		b, _ := os.ReadFile("/proc/self/net/" + name) // tcp6 may be missing
		tables.Write(b)
	}
	for _, m := range listenRow.FindAllStringSubmatch(tables.String(), -1) {
		if ours[m[2]] {
			addresses = append(addresses, m[1])
		}
	}
	return addresses
}

// The embedded server has no port, and its directory is private. Not parallel: the
// test listens itself, to see that it would notice.
func TestPrivate(t *testing.T) {
	server := start(t, Config{Dir: shortDir(t), Socket: true})
	openStore(t, server, store.Identity{ID: "a"})
	if got := listeners(t); len(got) != 0 {
		t.Errorf("this process listens on %v", got)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := listeners(t); len(got) != 1 {
		t.Errorf("a listener was not noticed: %v", got)
	}
	for _, name := range []string{".", lockName, logName, "member"} {
		if info, err := os.Stat(filepath.Join(server.dir, name)); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v, %v", name, info.Mode(), err)
		}
	}
}
