package hooktool

import (
	"errors"
	"maps"
	"strings"

	"kith"
)

// leads reports whether the unit leads its application. A "no" holds to the end of
// the hook (relations reference, section 7).
func (r *Run) leads() (bool, error) {
	if r.notLeader {
		return false, nil
	}
	leads, err := r.host.IsLeader()
	if err == nil && !leads {
		r.notLeader = true
	}
	return leads, err
}

// because puts what was being attempted before an error and keeps its code and hint.
func because(what string, err error) error {
	var e *kith.Error
	if errors.As(err, &e) {
		return e.Prefix("%s: ", what)
	}
	return kith.Errorf(kith.Internal, "%s: %v", what, err)
}

func isLeader(i *invocation) error {
	out := i.anyFormat()
	if err := i.parseOptionsOnly(); err != nil {
		return err
	}
	leads, err := i.run.leads()
	if err != nil {
		return because("leadership status unknown", err)
	}
	return out.print(leads)
}

func leaderGet(i *invocation) error {
	out := i.anyFormat()
	args, err := i.parse()
	if err != nil {
		return err
	}
	key, args := first(args)
	if strings.Contains(key, "=") {
		return usagef("invalid key %q", key)
	}
	if err := noMore(args); err != nil {
		return err
	}
	if i.run.leaderData == nil {
		data, err := i.run.host.LeaderSettings()
		if err != nil {
			return because("cannot read leadership settings", err)
		}
		i.run.leaderData = maps.Clone(data)
		if data == nil {
			i.run.leaderData = map[string]string{}
		}
	}
	if key == "" || key == "-" {
		return out.print(i.run.leaderData)
	}
	if value, ok := i.run.leaderData[key]; ok {
		return out.print(value)
	}
	return out.print(nil)
}

func leaderSet(i *invocation) error {
	args, err := i.parse()
	if err != nil {
		return err
	}
	set, err := keyValues(args)
	if err != nil {
		return err
	}
	const failed = "cannot write leadership settings"
	leads, err := i.run.leads()
	if err != nil {
		return because(failed, err)
	}
	if !leads {
		return kith.Errorf(kith.Forbidden, failed+": cannot write settings: not the leader")
	}
	if len(set) == 0 {
		return nil
	}
	i.run.leaderData = nil // whatever happens now, it may have changed
	if err := i.run.host.SetLeaderSettings(set); err != nil {
		return because(failed, err)
	}
	return nil
}
