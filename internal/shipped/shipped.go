// Package shipped holds the contracts that come with kith: those of the interfaces
// charms use most, each with examples. They are written from what the public
// catalogue and the charms themselves show, and ask for no more than charms in the
// field write. Each is readable as it stands: see the files beside this one.
package shipped

import (
	"embed"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"kith"
	"kith/contract"
)

//go:embed *.yaml
var files embed.FS

// All reads every contract there is, in order of name.
// Errors: Internal; a contract of ours that cannot be read is our fault.
func All() ([]*contract.Contract, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
	var all []*contract.Contract
	for _, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err != nil {
			return nil, err
		}
		c, err := contract.Parse(e.Name(), text)
		if err != nil {
			return nil, kith.Errorf(kith.Internal, "cannot read a contract of kith's own: %v", err)
		}
		all = append(all, c)
	}
	return all, nil
}

// Find reads the contract of an interface; names compare with - and _ folded.
// Errors: NotFound.
func Find(name string) (*contract.Contract, error) {
	all, err := All()
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if contract.SameInterface(c.Interface, name) {
			return c, nil
		}
	}
	return nil, kith.Errorf(kith.NotFound, "kith has no contract of interface %q", name)
}

// checkers are the contracts ready to check bags, by the folded name of their interface.
// Each is read and compiled when it is first asked for, and then shared.
var checkers = map[string]func() *contract.Checker{
	"cos_agent":         compiled("cos_agent"),
	"ingress":           compiled("ingress"),
	"kafka_client":      compiled("kafka_client"),
	"mongodb_client":    compiled("mongodb_client"),
	"mysql_client":      compiled("mysql_client"),
	"opensearch_client": compiled("opensearch_client"),
	"postgresql_client": compiled("postgresql_client"),
	"prometheus_scrape": compiled("prometheus_scrape"),
	"tls_certificates":  compiled("tls_certificates"),
}

// compiled reads and compiles one contract, once. A test compiles them all: one that
// cannot be is a broken program.
func compiled(name string) func() *contract.Checker {
	return sync.OnceValue(func() *contract.Checker {
		text, err := files.ReadFile(name + ".yaml")
		if err != nil {
			panic("shipped: " + err.Error())
		}
		c, err := contract.Parse(name+".yaml", text)
		if err != nil {
			panic("shipped: " + err.Error())
		}
		checker, err := c.Compile()
		if err != nil {
			panic("shipped: " + err.Error())
		}
		return checker
	})
}

// Checker is the contract of an interface, named in the form of [contract.FoldName],
// ready to check bags; nil if there is none. It is the same one for all who ask.
func Checker(folded string) *contract.Checker {
	if get := checkers[folded]; get != nil {
		return get()
	}
	return nil
}

// Names lists the interfaces there are contracts of, in the form of [contract.FoldName], in order.
func Names() []string { return slices.Sorted(maps.Keys(checkers)) }
