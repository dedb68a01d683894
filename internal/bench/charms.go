package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

// hookScript is every hook of the measured charms. It notes the time when it starts
// and when it ends, with what bash itself knows and no further process. On joined
// it writes into its bag; on config-changed too, once it is in a relation.
const hookScript = `#!/bin/bash
printf '%%s start %%s %%s %%s\n' "$EPOCHREALTIME" "$JUJU_UNIT_NAME" "${0##*/}" "${JUJU_REMOTE_UNIT-}" >>%[1]q
case ${0##*/} in
*-relation-joined) relation-set "hello=$JUJU_UNIT_NAME" ;;
config-changed) for id in $(relation-ids link); do relation-set -r "$id" "value=$(config-get value)"; done ;;
esac
printf '%%s end %%s %%s %%s\n' "$EPOCHREALTIME" "$JUJU_UNIT_NAME" "${0##*/}" "${JUJU_REMOTE_UNIT-}" >>%[1]q
`

var hookNames = []string{
	"install", "start", "config-changed", "leader-elected", "stop", "remove",
	"link-relation-created", "link-relation-joined", "link-relation-changed", "link-relation-departed", "link-relation-broken",
}

// writeCharm writes a charm with one endpoint "link" whose hooks note their times in log.
func writeCharm(dir, name, section, log string) error {
	if err := os.MkdirAll(filepath.Join(dir, "hooks"), 0o755); err != nil {
		return err
	}
	files := map[string]string{
		"metadata.yaml": fmt.Sprintf("name: %s\nsummary: measured\ndescription: measured\n%s:\n  link:\n    interface: link\n", name, section),
		"config.yaml":   "options:\n  value:\n    type: string\n    default: \"0\"\n    description: written to every bag\n",
		"hooks/common":  fmt.Sprintf(hookScript, log),
	}
	for path, text := range files {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o755); err != nil {
			return err
		}
	}
	for _, hook := range hookNames {
		if err := os.Symlink("common", filepath.Join(dir, "hooks", hook)); err != nil {
			return err
		}
	}
	return nil
}

// ran is one hook as it noted itself.
type ran struct {
	unit, hook, remote string
	start, end         time.Time
}

// readLog reads what the hooks noted, in order of start.
func readLog(path string) ([]ran, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []ran
	open := map[string]int{}
	for _, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		f := strings.Split(line, " ")
		if len(f) != 5 {
			return nil, fmt.Errorf("a hook noted %q", line)
		}
		at, err := epoch(f[0])
		if err != nil {
			return nil, err
		}
		if f[1] == "start" {
			open[f[2]] = len(all)
			all = append(all, ran{unit: f[2], hook: f[3], remote: f[4], start: at})
			continue
		}
		all[open[f[2]]].end = at
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].start.Before(all[j].start) })
	return all, nil
}

// epoch reads EPOCHREALTIME: seconds and six decimals.
func epoch(s string) (time.Time, error) {
	sec, micro, ok := strings.Cut(strings.Replace(s, ",", ".", 1), ".")
	a, err1 := strconv.ParseInt(sec, 10, 64)
	b, err2 := strconv.ParseInt(micro, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return time.Time{}, fmt.Errorf("a hook noted time %q", s)
	}
	return time.Unix(a, b*1000), nil
}
