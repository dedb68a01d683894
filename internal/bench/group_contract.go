package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"kith"
	"kith/internal/controller"
	"kith/internal/core"
)

// checkedCommits is how many commits are measured with contracts, and as many without.
const checkedCommits = 600

// checkedKind is a kind of commit: what it writes, and the contract of that.
type checkedKind struct {
	name, contract string
	set            func(n int) map[string]string
}

// checkedKinds are small values as most charms write them, and one that is large and has structure.
func checkedKinds() []checkedKind {
	key := func(k int) string { return fmt.Sprintf("key-%d", k) }
	var keys []string
	for k := range commitKeys {
		keys = append(keys, key(k)+`: {required: true, schema: {type: string, pattern: '^value [0-9] of hook [0-9]+$', maxLength: 100}}`)
	}
	head := "interface: link\nversion: 1\nprovider: {unit: {keys: {"
	return []checkedKind{
		{"5 keys", head + strings.Join(keys, ", ") + "}}}\n", func(n int) map[string]string {
			set := map[string]string{}
			for k := range commitKeys {
				set[key(k)] = fmt.Sprintf("value %d of hook %d", k, n)
			}
			return set
		}},
		{"20 targets in JSON", head + `targets: {required: true, encoding: json, schema: {type: array, items: {type: object, required: [host, port],
  properties: {host: {type: string, minLength: 1}, port: {type: integer, minimum: 1, maximum: 65535}}, additionalProperties: false}}}}}}
`, func(n int) map[string]string {
			var targets []string
			for i := range 20 {
				targets = append(targets, fmt.Sprintf(`{"host":"10.0.%d.%d","port":%d}`, n%256, i, 1000+i))
			}
			return map[string]string{"targets": "[" + strings.Join(targets, ",") + "]"}
		}},
	}
}

// measureContract commits the same hooks with contracts that warn and with contracts off, in turns, on
// an embedded etcd.
func measureContract(ctx context.Context, e *env) ([]row, error) {
	_, st, done, err := openEtcd(ctx, filepath.Join(e.temp, "etcd"))
	if err != nil {
		return nil, err
	}
	defer done()
	m, stop, err := benchModel(ctx, st)
	if err != nil {
		return nil, err
	}
	defer stop()
	var rows []row
	for _, kind := range checkedKinds() {
		if _, err := m.Submit(ctx, benchAdmin, core.AddContract{Text: kind.contract}); err != nil {
			return nil, err
		}
		times, err := checkedTurns(ctx, m, kind)
		if err != nil {
			return nil, err
		}
		rows = append(rows,
			atMost("commit of "+kind.name, median(times[core.ContractsWarn]), median(times[core.ContractsOff]), "the same, with contracts off", "ms", 1.1),
			report("of that: the check", checkAlone(m.Snapshot()), "ms"))
	}
	return rows, nil
}

// checkedTurns commits with each mode in turn.
func checkedTurns(ctx context.Context, m *controller.Model, kind checkedKind) (map[core.ContractMode][]time.Duration, error) {
	times := map[core.ContractMode][]time.Duration{}
	u := kith.UnitOf("alpha", 0)
	for n := range 2 * checkedCommits {
		mode := []core.ContractMode{core.ContractsWarn, core.ContractsOff}[n%2]
		if _, err := m.Submit(ctx, benchAdmin, core.SetContractMode{Mode: mode}); err != nil {
			return nil, err
		}
		commit := core.CommitHook{Unit: u, Seq: m.Snapshot().Progress(u).Seq + 1, Hook: core.Hook{Kind: core.UpdateStatus},
			Effects: core.Effects{Bags: []core.BagWrite{{Relation: 0, Set: kind.set(n)}}}}
		begin := time.Now()
		if _, err := m.Submit(ctx, core.UnitActor(u), commit); err != nil {
			return nil, err
		}
		if n >= 2*warmupCommits {
			times[mode] = append(times[mode], time.Since(begin))
		}
	}
	_, err := m.Submit(ctx, benchAdmin, core.SetContractMode{Mode: core.ContractsWarn})
	return times, err
}

// checkAlone is how long the verdict on the bag that was written last takes.
func checkAlone(m *core.Model) float64 {
	var times []time.Duration
	for range checkedCommits {
		begin := time.Now()
		if _, ok := m.BagVerdict(0, "alpha/0"); !ok {
			return -1
		}
		times = append(times, time.Since(begin))
	}
	return median(times)
}
