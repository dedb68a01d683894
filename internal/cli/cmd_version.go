package cli

import (
	"context"
	"runtime"
	"runtime/debug"

	"github.com/spf13/pflag"
)

// Version is kith's own version.
const Version = "0.1.0"

func versionCommand() *command {
	var all bool
	return &command{
		name: "version", args: "", group: groupOther, scope: noScope,
		summary: "Prints the version",
		details: `Called as juju, the version is that of the Juju kith stands in for, in Juju's form:
NUMBER-OS-ARCH. Called as kith, it is kith's own.`,
		examples: []example{{"version", "Print the version"}, {"version --all --format json", "Everything about this program"}},
		formats:  []string{formatSmart, formatJSON, formatYAML},
		flags:    func(f *pflag.FlagSet) { f.BoolVar(&all, "all", false, "Print everything there is to know") },
		check:    noArgs,
		run: func(_ context.Context, x *call, _ []string) error {
			d := versionDocument()
			switch {
			case all:
				return x.answer(d, nil)
			case x.format != formatSmart:
				return x.answer(d.Version, nil)
			case x.program == "juju":
				return x.output(d.Version + "\n")
			}
			return x.output("kith " + Version + " (Juju " + jujuVersion + ")\n")
		},
	}
}

// versionDoc is the document of version --all (CLI reference, section 5.10).
type versionDoc struct {
	Version   string `json:"version"`
	Kith      string `json:"kith-version"`
	Commit    string `json:"git-commit,omitempty"`
	TreeState string `json:"git-tree-state,omitempty"`
	Compiler  string `json:"compiler"`
	Go        string `json:"go-version"`
}

func versionDocument() versionDoc {
	d := versionDoc{
		Version: jujuVersion + "-" + systemName + "-" + runtime.GOARCH, Kith: Version,
		Compiler: runtime.Compiler, Go: runtime.Version(),
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return d
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			d.Commit = s.Value
		case "vcs.modified":
			d.TreeState = "clean"
			if s.Value == "true" {
				d.TreeState = "dirty"
			}
		}
	}
	return d
}

// systemName is what Juju calls every Linux.
const systemName = "genericlinux"
