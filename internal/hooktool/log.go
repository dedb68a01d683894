package hooktool

import (
	"fmt"
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
	level := Info
	switch wanted := Level(strings.ToUpper(*name)); {
	case *debug:
		level = Debug
	case wanted.Valid():
		level = wanted
	case *name != "":
		i.run.host.Log(Warning, fmt.Sprintf("Specified log level of %q is not valid", *name))
	}
	i.run.Log(level, strings.Join(args, " "))
	return nil
}
