package hooktool

import (
	"slices"

	"kith"
	"kith/internal/core"
)

// errNotLeader is for operations on the application's status.
var errNotLeader = kith.Errorf(kith.Forbidden, "this unit is not the leader")

// statusDetails is a status with its message and data.
type statusDetails struct {
	Message *string                  `yaml:"message,omitempty" json:"message,omitempty"`
	Status  kith.Status              `yaml:"status" json:"status"`
	Data    *map[string]any          `yaml:"status-data,omitempty" json:"status-data,omitempty"`
	Units   map[string]statusDetails `yaml:"units,omitempty" json:"units,omitempty"`
}

// details shows s, with its message and data if all is asked for. A status that was never set is
// unknown; only errors carry data.
func details(s core.Status, data map[string]any, all bool) statusDetails {
	d := statusDetails{Status: orUnknown(s)}
	if all {
		if data == nil {
			data = map[string]any{}
		}
		d.Message, d.Data = &s.Message, &data
	}
	return d
}

func orUnknown(s core.Status) kith.Status {
	if s.Current == "" {
		return kith.Unknown
	}
	return s.Current
}

func statusGet(i *invocation) error {
	data := i.boolean("print the message and the data too", "include-data")
	app := i.boolean("the application's status, if this unit is the leader", "application")
	out := i.anyFormat()
	if err := i.parseOptionsOnly(); err != nil {
		return err
	}
	if *app {
		return i.run.appStatus(out, *data)
	}
	// Read once in a hook (section 8.3).
	if i.run.unitStatus == nil {
		s, err := i.run.host.UnitStatus()
		if err != nil {
			return because("finding workload status", err)
		}
		i.run.unitStatus = &s
	}
	if out.format == "smart" && !*data {
		return out.print(string(orUnknown(*i.run.unitStatus)))
	}
	return out.print(details(*i.run.unitStatus, nil, *data))
}

func (r *Run) appStatus(out *output, data bool) error {
	const failed = "finding application status"
	leads, err := r.leads()
	if err == nil && !leads {
		err = errNotLeader
	}
	if err != nil {
		return because(failed, err)
	}
	s, err := r.host.AppStatus()
	if err != nil {
		return because(failed, err)
	}
	if out.format == "smart" && !data {
		return out.print(string(orUnknown(s.Status)))
	}
	d := details(s.Status, nil, data)
	d.Units = map[string]statusDetails{}
	for name, unit := range s.Units { // any order: a map is made
		d.Units[string(name)] = details(unit, s.Data[name], data)
	}
	return out.print(map[string]statusDetails{"application-status": d})
}

func statusSet(i *invocation) error {
	app := i.boolean("set the application's status, if this unit is the leader", "application")
	args, err := i.parse()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usageError("invalid args, require <status> [message]")
	}
	status := kith.Status(args[0])
	if !slices.Contains(charmMay, status) {
		return usagef("invalid status %q, expected one of %v", status, charmMay)
	}
	message := ""
	if args = args[1:]; len(args) > 0 {
		message, args = args[0], args[1:]
	}
	if err := noMore(args); err != nil {
		return err
	}
	if *app {
		leads, err := i.run.leads()
		if err != nil {
			return err
		}
		if !leads {
			return errNotLeader
		}
	}
	return i.run.host.SetStatus(*app, status, message)
}

func applicationVersionSet(i *invocation) error {
	args, err := i.parse()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usageError("no version specified")
	}
	if err := noMore(args[1:]); err != nil {
		return err
	}
	return i.run.host.SetVersion(args[0])
}
