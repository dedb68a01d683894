package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"
	"text/tabwriter"
)

// row is one line of the table. A lower Ours is better when the ratio has a
// ceiling (AtMost), a higher one when it has a floor (AtLeast).
type row struct {
	Group   string  `json:"group"`
	Name    string  `json:"name"`
	Ours    float64 `json:"ours"`
	Peer    float64 `json:"peer"`
	Against string  `json:"against"` // what the peer is
	Unit    string  `json:"unit"`
	Ratio   float64 `json:"ratio"`
	Target  string  `json:"target"`
	Met     bool    `json:"met"`
	limit   float64
	floor   bool
	// absolute rows compare Ours with limit, and the ratio is for reading only.
	absolute bool
}

// atMost is met while ours/peer is no more than limit.
func atMost(name string, ours, peer float64, against, unit string, limit float64) row {
	return row{Name: name, Ours: ours, Peer: peer, Against: against, Unit: unit, limit: limit}
}

// atLeast is met while ours/peer is no less than limit.
func atLeast(name string, ours, peer float64, against, unit string, limit float64) row {
	return row{Name: name, Ours: ours, Peer: peer, Against: against, Unit: unit, limit: limit, floor: true}
}

// under is met while ours is below limit, whatever the peer took.
func under(name string, ours, peer float64, against, unit string, limit float64) row {
	return row{Name: name, Ours: ours, Peer: peer, Against: against, Unit: unit, limit: limit, absolute: true}
}

// report is a figure without a target.
func report(name string, ours float64, unit string) row {
	return row{Name: name, Ours: ours, Unit: unit, Target: "-", Met: true}
}

// against is a figure beside a peer's, without a target.
func against(name string, ours, peer float64, of, unit string) row {
	r := report(name, ours, unit)
	r.Peer, r.Against = peer, of
	return r
}

func (r *row) judge() {
	if r.Peer != 0 {
		r.Ratio = r.Ours / r.Peer
	}
	switch {
	case r.Target == "-":
	case r.absolute:
		r.Target, r.Met = fmt.Sprintf("< %g %s", r.limit, r.Unit), r.Ours < r.limit
	case r.floor:
		r.Target, r.Met = fmt.Sprintf(">= %gx", r.limit), r.Ratio >= r.limit
	default:
		r.Target, r.Met = fmt.Sprintf("<= %gx", r.limit), r.Ratio <= r.limit
	}
}

// group is a set of rows measured together.
type group struct {
	name  string
	about string
	run   func(context.Context, *env) ([]row, error)
}

// env is where the measured binaries are and where scratch files go.
type env struct {
	bin  string
	temp string
}

func (e *env) kith() string { return filepath.Join(e.bin, "kith") }

func main() {
	if len(os.Args) > 1 && os.Args[1] == childFlag {
		os.Exit(child(os.Args[2:]))
	}
	run := flag.String("run", "", "measure only the group with this name")
	out := flag.String("out", "build/bench.json", "write the rows here as JSON")
	bin := flag.String("bin", "bin", "the folder of kith and kith-hook")
	profile := flag.String("cpuprofile", "", "write a CPU profile of this program here")
	flag.Parse()
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
		defer pprof.StopCPUProfile()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, *run, *out, *bin); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		stop()
	}
}

func measure(ctx context.Context, only, out, bin string) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "kith-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	var rows []row
	known := []string{}
	for _, g := range groups {
		known = append(known, g.name)
		if only != "" && only != g.name {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", g.name, g.about)
		syscall.Sync() // what an earlier group has left to be written is not this one's to wait for
		measured, err := g.run(ctx, &env{bin, filepath.Join(temp, g.name)})
		if err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		for _, r := range measured {
			r.Group = g.name
			r.judge()
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return fmt.Errorf("no group %q; there are: %s", only, strings.Join(known, ", "))
	}
	print(rows)
	return save(out, rows)
}

func print(rows []row) {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tOURS\tPEER\tUNIT\tRATIO\tTARGET\tMET\tAGAINST")
	for _, r := range rows {
		peer, ratio, met := "-", "-", "yes"
		if r.Peer != 0 {
			peer, ratio = fmt.Sprintf("%.4g", r.Peer), fmt.Sprintf("%.3f", r.Ratio)
		}
		if !r.Met {
			met = "NO"
		}
		if r.Target == "-" {
			met = "-"
		}
		fmt.Fprintf(w, "%s/%s\t%.4g\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Group, r.Name, r.Ours, peer, r.Unit, ratio, r.Target, met, r.Against)
	}
	w.Flush()
}

func save(path string, rows []row) error {
	data, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}
