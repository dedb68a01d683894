package pycharms_test

import "testing"

// The charms in testdata are written on the real ops library, and run here as they
// run for everyone: the real programs, sockets, processes and store. What they see
// is compared with the references: "relations" is relations.md, "ops" ops-sdk.md,
// "protocol" hook-protocol.md.

// scenarios is every one, the longest first.
var scenarios = []struct {
	name string
	run  func(*testing.T, *model)
}{
	{"access", testAccess},
	{"relations", testRelations},
	{"subordinates", testSubordinates},
	{"deferral", testDeferral},
	{"peers", testPeers},
	{"state", testState},
	{"folders", testFolders},
	{"charmcraft", testCharmcraft},
	{"trust", testTrust},
	{"tls", testTLS},
	{"secrets", testSecrets},
	{"actions", testActions},
	{"settings", testSettings},
	{"storage", testStorage},
}

// TestPythonCharms runs every scenario in a model of its own on one controller.
func TestPythonCharms(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a controller and many Python processes")
	}
	w := newWorld(t)
	for _, scenario := range scenarios {
		t.Run(scenario.name, func(t *testing.T) {
			t.Parallel()
			scenario.run(t, w.model(t))
		})
	}
}
