package hooktool

import (
	"slices"
	"strings"
)

// help is the text for --help.
func (i *invocation) help() string {
	var b strings.Builder
	b.WriteString("Usage: " + i.tool.name)
	if len(i.options) > 0 {
		b.WriteString(" [options]")
	}
	if i.tool.args != "" {
		b.WriteString(" " + i.tool.args)
	}
	b.WriteString("\n\nSummary:\n" + i.tool.summary + "\n")
	if len(i.options) > 0 {
		b.WriteString("\nOptions:\n")
	}
	for _, o := range i.options {
		for n, name := range o.names {
			if n > 0 {
				b.WriteString(", ")
			}
			b.WriteString(shown(name))
		}
		if o.arg != "" {
			b.WriteString(" " + o.arg)
		}
		if o.def != "" {
			b.WriteString(" (default " + o.def + ")")
		}
		b.WriteString("\n    " + o.help)
		if len(o.choices) > 0 {
			b.WriteString(": " + strings.Join(slices.Sorted(slices.Values(o.choices)), ", "))
		}
		b.WriteString("\n")
	}
	if i.tool.details != "" {
		b.WriteString("\nDetails:\n" + i.tool.details + "\n")
	}
	return b.String()
}
