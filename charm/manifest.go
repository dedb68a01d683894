package charm

import (
	"fmt"
	"slices"
	"strings"
)

// manifestPrefix begins every error of manifest.yaml.
const manifestPrefix = "manifest: "

// Operating systems and architectures 3.6 knows (section 15).
var (
	knownOS = []string{"ubuntu", "centos", "windows", "osx", "genericlinux", "opensuse"}
	// archNames maps every accepted spelling to Juju's.
	archNames = map[string]string{
		"amd64": "amd64", "x86_64": "amd64", "arm64": "arm64", "aarch64": "arm64", "armhf": "armhf", "arm": "armhf",
		"i386": "i386", "ppc64el": "ppc64el", "ppc64le": "ppc64el", "riscv64": "riscv64", "s390x": "s390x", "all": "all",
	}
)

// ParseManifest reads the bases of manifest.yaml. An empty file is no manifest:
// it gives nil. A manifest whose list of bases is empty gives an empty slice.
// Errors: Invalid, as [*Error].
func ParseManifest(file string, data []byte) ([]Base, error) {
	root, err := parseYAML(&document{file, manifestPrefix + "coerce: "}, data)
	if err != nil {
		return nil, err
	}
	if root.kind == nullKind {
		return nil, nil
	}
	if _, err := root.asMap(); err != nil {
		return nil, err
	}
	list := root.get("bases")
	if list.kind != listKind {
		list.path = "" // the schema is that of the list alone
		_, err := list.asList()
		return nil, err
	}
	bases := []Base{}
	for _, item := range list.without("bases", root.doc).list {
		b, err := parseBase(item)
		if err != nil {
			return nil, err
		}
		bases = append(bases, b)
	}
	return bases, nil
}

func parseBase(n *node) (b Base, err error) {
	if _, err = n.asMap(); err != nil {
		return b, err
	}
	if b.Name, err = n.get("name").asString(); err != nil {
		return b, err
	}
	channel, err := n.get("channel").asString()
	if err != nil {
		return b, err
	}
	var archs []string
	if a := n.get("architectures"); a.kind != absentKind {
		if archs, err = a.asStrings(); err != nil {
			return b, err
		}
	}
	if b.Name == "" {
		return b, n.get("name").refuse("a base has a name", manifestPrefix+"base without name not valid")
	}
	if !slices.Contains(knownOS, b.Name) {
		return b, n.get("name").refuse("the name is one of "+strings.Join(knownOS, ", "), manifestPrefix+"os %q not valid", b.Name)
	}
	normal, reason := parseChannel(channel)
	if reason != "" {
		return b, n.get("channel").refuse("a channel is TRACK or TRACK/RISK; the risks are stable, candidate, beta and edge",
			manifestPrefix+"parsing channel %q: %s", channel, reason)
	}
	b.Channel = normal
	for i, a := range archs {
		known, ok := archNames[a]
		if !ok {
			return b, n.get("architectures").list[i].refuse("the architecture is one that Juju runs on", manifestPrefix+"architecture %q not valid", a)
		}
		b.Architectures = append(b.Architectures, known)
	}
	return b, nil
}

// parseChannel brings a channel into the form track/risk or track/risk/branch,
// or says in Juju's words why it cannot.
func parseChannel(s string) (normal, reason string) {
	if s == "" {
		return "", "empty channel not valid"
	}
	parts := strings.Split(s, "/")
	isRisk := func(i int) bool { return slices.Contains([]string{"stable", "candidate", "beta", "edge"}, parts[i]) }
	switch {
	case len(parts) > 3:
		return "", fmt.Sprintf("channel is malformed and has too many components %q", s)
	case slices.Contains(parts, ""):
		return "", fmt.Sprintf("channel %q not valid", s)
	case len(parts) == 1 && isRisk(0):
		return s, ""
	case len(parts) == 1:
		return s + "/stable", ""
	case len(parts) == 2 && isRisk(0): // risk/branch
		return s, ""
	case !isRisk(1):
		return "", fmt.Sprintf("risk in channel %q not valid", s)
	}
	return s, ""
}

// seriesChannels are the Ubuntu series charms in the field name, with their
// versions; CentOS is named with its version. Others say nothing about a base.
var seriesChannels = map[string]string{
	"precise": "12.04", "quantal": "12.10", "trusty": "14.04", "xenial": "16.04", "yakkety": "16.10", "zesty": "17.04",
	"artful": "17.10", "bionic": "18.04", "cosmic": "18.10", "disco": "19.04", "eoan": "19.10", "focal": "20.04",
	"groovy": "20.10", "hirsute": "21.04", "impish": "21.10", "jammy": "22.04", "kinetic": "22.10", "lunar": "23.04",
	"mantic": "23.10", "noble": "24.04", "oracular": "24.10", "plucky": "25.04", "questing": "25.10",
}

// basesFromSeries turns the old series into bases; series without a base, such
// as kubernetes, are left out.
func basesFromSeries(series []string) []Base {
	var bases []Base
	for _, s := range series {
		if v, ok := seriesChannels[s]; ok {
			bases = append(bases, Base{Name: "ubuntu", Channel: v + "/stable"})
		} else if v, ok := strings.CutPrefix(s, "centos"); ok && v != "" {
			bases = append(bases, Base{Name: "centos", Channel: v + "/stable"})
		}
	}
	return bases
}
