package agent

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith/internal/dispatch"
)

// A path that is too long for a socket gets a short one elsewhere, private and gone
// when the agent ends.
func TestLongPaths(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": webMeta,
		"hooks/install": "#!/bin/sh\necho \"x is $(config-get x) at $JUJU_AGENT_SOCKET_ADDRESS\"\nstat -c %a \"$(dirname \"$JUJU_AGENT_SOCKET_ADDRESS\")\" || true\n",
		"config.yaml":   "options:\n  x: {type: string, default: a}\n"}), 1)
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	stop := w.start(dir)
	w.settle()
	_, after, ok := strings.Cut(w.log(), "x is a at ")
	socket, _, _ := strings.Cut(after, "\n")
	if !ok || len(socket) > dispatch.MaxSocketPath {
		t.Fatalf("socket %q\n%s", socket, w.log())
	}
	if !strings.Contains(w.log(), "install 700\n") {
		t.Errorf("the folder of sockets is not private:\n%s", w.log())
	}
	stop()
	if _, err := os.Stat(filepath.Dir(socket)); !os.IsNotExist(err) {
		t.Errorf("the folder of sockets is still there: %v", err)
	}

	// What an agent that was killed left behind, the next one removes.
	left, err := os.MkdirTemp("", dispatch.SocketPrefix)
	w.check(err)
	w.check(os.Symlink(left, filepath.Join(dir, "sockets")))
	w.start(dir)
	waitFor(t, "the end of what was left", func() bool { _, err := os.Stat(left); return os.IsNotExist(err) })
}

// Where there is memory to put them, sockets are there: private, as long as the hook runs, and gone
// with the agent.
func TestSocketsInMemory(t *testing.T) {
	t.Parallel()
	memory := dispatch.MemoryFolder()
	if memory == "" {
		t.Skip("this system has no folder in memory")
	}
	w := newWorld(t)
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": webMeta, "hooks/install": `#!/bin/sh
unit-get private-address
echo "at $JUJU_AGENT_SOCKET_ADDRESS $(stat -c %a "$(dirname "$JUJU_AGENT_SOCKET_ADDRESS")")"
`}), 1)
	stop := w.start(t.TempDir(), func(c *Config) { c.Memory = memory })
	w.settle()
	_, after, _ := strings.Cut(w.log(), "install at ")
	line, _, _ := strings.Cut(after, "\n")
	socket, mode, _ := strings.Cut(line, " ")
	if !strings.HasPrefix(socket, memory+"/") || mode != "700" {
		t.Fatalf("socket %q, its folder %q\n%s", socket, mode, w.log())
	}
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket outlives its hook: %v", err)
	}
	stop()
	if _, err := os.Stat(filepath.Dir(socket)); !os.IsNotExist(err) {
		t.Errorf("the folder of sockets is still there: %v", err)
	}
}

// A socket that an agent left behind when it was killed is in nobody's way.
func TestStaleSocket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": webMeta, "hooks/install": "#!/bin/sh\nunit-get private-address\n"}), 1)
	dir, err := os.MkdirTemp("", "kith")
	w.check(err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	unit := dirs{dir}.unit(refOf("web/0"))
	w.check(os.MkdirAll(unit.root, 0o700))
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: unit.socket(), Net: "unix"})
	w.check(err)
	l.SetUnlinkOnClose(false)
	w.check(l.Close())
	w.start(dir)
	w.settle()
	w.wantLog(`unit-web-0 INFO juju.worker.uniter.operation ran "install" hook (via explicit, bespoke hook script)`)
}
