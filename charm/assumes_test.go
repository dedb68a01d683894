package charm

import (
	"testing"

	"kith"
)

// Charm format reference, section 10: satisfaction, and the text when there is none.
func TestCheckAssumes(t *testing.T) {
	t.Parallel()
	const lead = "Charm cannot be deployed because:\n"
	for _, test := range []struct{ assumes, want string }{
		{`[juju]`, ""},
		{`[juju >= 3.6]`, ""},
		{`[juju >= 3.6.9]`, ""},
		{`[juju < 4]`, ""},
		{`[juju >= 3.6.9-rc1]`, ""},
		{`[storage]`, ""},
		{`[storage >= 9]`, ""}, // offered without a version
		{`[{any-of: []}]`, ""},
		{`[{any-of: [gpu, juju]}]`, ""},
		{`[]`, ""},
		{`[juju >= 4]`, lead + "  - charm requires Juju version >= 4.0.0, model has version 3.6.9"},
		{`[juju < 3.6.9]`, lead + "  - charm requires Juju version < 3.6.9, model has version 3.6.9"},
		{`[k8s-api]`, lead + "  - charm must be deployed on a Kubernetes cloud"},
		{`[gpu]`, lead + "  - charm requires feature \"gpu\" but model does not support it"},
		{`[xx >= 2]`, lead + "  - charm requires feature \"xx\" (version >= 2.0.0) but model currently supports version 1.0.0"},
		{`[juju >= 4, k8s-api, {any-of: [juju >= 9, gpu, {all-of: [juju, k8s-api >= 1.30]}]}, {all-of: [juju, gpu]}]`, lead +
			"  - charm requires Juju version >= 4.0.0, model has version 3.6.9\n" +
			"  - charm must be deployed on a Kubernetes cloud\n" +
			"  - charm requires at least one of the following:\n" +
			"    - charm requires Juju version >= 9.0.0, model has version 3.6.9\n" +
			"    - charm requires feature \"gpu\" but model does not support it\n" +
			"    - charm requires all of the following:\n" +
			"      - charm must be deployed on a Kubernetes cloud\n" +
			"  - charm requires all of the following:\n" +
			"    - charm requires feature \"gpu\" but model does not support it"},
	} {
		m := sampleMeta(t, "assumes: "+test.assumes+"\n")
		err := m.CheckAssumes(map[string]string{"juju": "3.6.9", "storage": "", "xx": "1"})
		if text(err) != test.want || err != nil && kith.CodeOf(err) != kith.Conflict {
			t.Errorf("%s:\n got %v\nwant %s", test.assumes, err, test.want)
		}
	}
	m := sampleMeta(t, "assumes: [k8s-api >= 1.30]\n")
	err := m.CheckAssumes(map[string]string{"k8s-api": "1.28.3"})
	if want := lead + "  - charm requires Kubernetes version >= 1.30.0, model is running on version 1.28.3"; text(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := sampleMeta(t, "").CheckAssumes(nil); err != nil {
		t.Error(err)
	}
}
