package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// helpText is the help on one command, its parts in Juju's order (CLI
// reference, section 1.6).
func helpText(program string, c *command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nSummary:\n%s.\n", usageLine(program, c), c.summary)
	global, own := flagSections(c)
	section(&b, "Global Options", global)
	section(&b, "Command Options", own)
	section(&b, "Aliases", strings.Join(c.aliases, ", "))
	section(&b, "Details", strings.TrimSpace(c.details))
	var examples []string
	for _, e := range c.examples {
		examples = append(examples, fmt.Sprintf("%s:\n\n    %s %s", e.says, program, e.line))
	}
	section(&b, "Examples", strings.Join(examples, "\n\n"))
	var also []string
	for _, name := range c.seeAlso {
		also = append(also, " - "+name)
	}
	section(&b, "See also", strings.Join(also, "\n"))
	return b.String()
}

// usageLine is how a command is called.
func usageLine(program string, c *command) string {
	return strings.TrimSpace(fmt.Sprintf("Usage: %s %s [options] %s", program, c.name, c.args))
}

func section(b *strings.Builder, title, text string) {
	if text != "" {
		fmt.Fprintf(b, "\n%s:\n%s\n", title, text)
	}
}

// flagSections describes the flags everybody has, and the command's own.
func flagSections(c *command) (global, own string) {
	f := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
	c.declare(f)
	var g, o []string
	f.VisitAll(func(flag *pflag.Flag) { // pflag goes in order of name
		if flag.Hidden {
			return
		}
		if isGlobal(flag.Name) {
			g = append(g, flagText(flag))
		} else {
			o = append(o, flagText(flag))
		}
	})
	return strings.Join(g, "\n"), strings.Join(o, "\n")
}

// flagText is a flag's line, and below it what it is for.
func flagText(f *pflag.Flag) string {
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", " + name
	}
	value := f.DefValue
	switch f.Value.Type() {
	case "string", "name":
		value = fmt.Sprintf("%q", value)
	case "stringArray", "stringSlice":
		value = strings.Trim(value, "[]")
	}
	return fmt.Sprintf("%s (= %s)\n    %s", name, value, f.Usage)
}

// overview is what the program says when it is called without a command.
func overview(program string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s COMMAND [options] [arguments]\n\n", program)
	b.WriteString("kith runs Juju charms and the integrations between them.\n\n")
	fmt.Fprintf(&b, "Begin with:\n    %[1]s up                     start a controller on this computer\n"+
		"    %[1]s add-model demo         make a model to work in\n"+
		"    %[1]s deploy ./my-charm      deploy a charm from a folder\n"+
		"    %[1]s integrate web db       integrate two applications\n"+
		"    %[1]s settle                 wait until all hooks have run\n"+
		"    %[1]s status --relations     see how things are\n", program)
	for _, g := range groups() {
		fmt.Fprintf(&b, "\n%s:\n", g)
		for _, c := range commands() {
			if c.group == g && !c.hidden {
				fmt.Fprintf(&b, "    %-20s  %s\n", c.name, c.summary)
			}
		}
	}
	fmt.Fprintf(&b, "\nUse \"%s help COMMAND\" for more on a command.\n", program)
	return b.String()
}

// familyText lists the commands that begin with one word.
func familyText(program, word string, family []*command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s %s COMMAND [options] [arguments]\n\n", program, word)
	for _, c := range family {
		fmt.Fprintf(&b, "    %-20s  %s\n", c.name, c.summary)
	}
	fmt.Fprintf(&b, "\nUse \"%s help %s COMMAND\" for more on a command.\n", program, word)
	return b.String()
}

// groups lists the headings in the order in which commands appear.
func groups() []group {
	var gs []group
	for _, c := range commands() {
		if !c.hidden && !slices.Contains(gs, c.group) {
			gs = append(gs, c.group)
		}
	}
	return gs
}

// findCommand is the command with that name or alias, or nil.
func findCommand(name string) *command {
	for _, c := range commands() {
		if c.name == name || slices.Contains(c.aliases, name) {
			return c
		}
	}
	return nil
}
