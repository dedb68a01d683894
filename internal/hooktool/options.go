package hooktool

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// usageError is found in the words of the call before anything is done: exit status 2.
type usageError string

func (e usageError) Error() string { return string(e) }

func usagef(format string, args ...any) error { return usageError(fmt.Sprintf(format, args...)) }

var (
	errHelp      = errors.New("help was asked for")
	errNeedStdin = errors.New("standard input was asked for")
)

// option is one option of a tool.
type option struct {
	names []string // without dashes; all mean the same
	// arg names the value in the help text; empty for a boolean, which takes none.
	arg  string
	help string
	// choices, if there are any, and def are shown in the help text.
	choices []string
	def     string
	set     func(value string) error
}

// shown is a name with its dashes: one for a single letter, else two.
func shown(name string) string {
	if utf8.RuneCountInString(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// boolean declares an option that is on or off.
func (i *invocation) boolean(help string, names ...string) *bool {
	on := new(bool)
	i.options = append(i.options, &option{names: names, help: help, set: func(value string) (err error) {
		*on, err = strconv.ParseBool(value)
		return err
	}})
	return on
}

// text declares an option with a value.
func (i *invocation) text(arg, help string, names ...string) *string {
	value := new(string)
	i.options = append(i.options, &option{names: names, arg: arg, help: help, set: func(v string) error {
		*value = v
		return nil
	}})
	return value
}

// parse reads the call's options and returns the other arguments.
func (i *invocation) parse() ([]string, error) { return parseOptions(i.options, i.call.Args) }

// parseOptions sets options from args and returns what is left, in order. Options and
// arguments mix freely; "--" ends options (section 6.3).
func parseOptions(options []*option, args []string) (rest []string, err error) {
	p := parser{options: options, args: args}
	for len(p.args) > 0 {
		word := p.args[0]
		p.args = p.args[1:]
		switch {
		case word == "--":
			return append(rest, p.args...), nil
		case word == "-" || !strings.HasPrefix(word, "-"):
			rest = append(rest, word)
		case strings.HasPrefix(word, "--"):
			err = p.long(word[2:])
		default:
			err = p.letters(word[1:])
		}
		if err != nil {
			return nil, err
		}
	}
	return rest, nil
}

type parser struct {
	options []*option
	args    []string // not looked at yet
}

// long reads "name", "name=value", or "name" with the value in the next word.
func (p *parser) long(word string) error {
	name, value, given := strings.Cut(word, "=")
	o, err := p.find(name)
	switch {
	case err != nil:
		return err
	case given:
		return o.take(name, value)
	case o.arg == "":
		return o.take(name, "true")
	}
	return p.next(o, name)
}

// letters reads the letters after a single dash: booleans, and possibly one option
// with a value, which is the rest of the word or the next word.
func (p *parser) letters(word string) error {
	for word != "" {
		_, n := utf8.DecodeRuneInString(word)
		name := word[:n]
		word = word[n:]
		o, err := p.find(name)
		switch {
		case err != nil:
			return err
		case o.arg != "" && word == "":
			return p.next(o, name)
		case o.arg != "":
			return o.take(name, word)
		}
		if err := o.take(name, "true"); err != nil {
			return err
		}
	}
	return nil
}

// next gives o the next word as its value, whatever it looks like.
func (p *parser) next(o *option, name string) error {
	if len(p.args) == 0 {
		return usagef("option needs an argument: %s", shown(name))
	}
	value := p.args[0]
	p.args = p.args[1:]
	return o.take(name, value)
}

func (p *parser) find(name string) (*option, error) {
	for _, o := range p.options {
		for _, n := range o.names {
			if n == name {
				return o, nil
			}
		}
	}
	if name == "help" || name == "h" {
		return nil, errHelp
	}
	return nil, usagef("option provided but not defined: %s", shown(name))
}

func (o *option) take(name, value string) error {
	switch err := o.set(value); {
	case err == nil:
		return nil
	case o.arg == "":
		return usagef("invalid boolean value %q for %s: %v", value, shown(name), err)
	default:
		return usagef("invalid value %q for option %s: %v", value, shown(name), err)
	}
}

// parseOptionsOnly is parse for tools that take no arguments.
func (i *invocation) parseOptionsOnly() error {
	args, err := i.parse()
	if err != nil {
		return err
	}
	return noMore(args)
}

// first takes an argument that may be left out, which is then empty.
func first(args []string) (arg string, rest []string) {
	if len(args) == 0 {
		return "", nil
	}
	return args[0], args[1:]
}

// noMore refuses arguments that nothing was left to take.
func noMore(args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usagef("unrecognized args: %q", args)
}

// ignoreFormat declares the option --format of tools that print nothing. The
// function it returns tells the caller, as Juju does, without a newline (section 6.4).
func (i *invocation) ignoreFormat() (warn func()) {
	format := i.text("FORMAT", "deprecated, and ignored", "format")
	return func() {
		if *format != "" {
			i.stderr = fmt.Appendf(i.stderr, "--format flag deprecated for command %q", i.tool.name)
		}
	}
}
