package hooktool

import (
	"fmt"
	"slices"
	"strings"
)

func jujuLog(i *invocation) error {
	debug := i.boolean("log at level DEBUG", "debug")
	name := i.text("LEVEL", "the level to log at", "l", "log-level")
	i.options[len(i.options)-1].def = string(Info)
	warn := i.ignoreFormat()
	args, err := i.parse()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usageError("no message specified")
	}
	warn()
	levels := []Level{Trace, Debug, Info, Warning, Error, Critical}
	level := Info
	switch wanted := Level(strings.ToUpper(*name)); {
	case *debug:
		level = Debug
	case slices.Contains(levels, wanted):
		level = wanted
	case *name != "":
		i.run.host.Log(Warning, fmt.Sprintf("Specified log level of %q is not valid", *name))
	}
	message := strings.Join(args, " ")
	if h := i.run.hook.Relation; h != nil {
		message = string(h.Endpoint) + ":" + h.ID.String() + ": " + message
	}
	i.run.host.Log(level, message)
	return nil
}
