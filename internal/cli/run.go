package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kith"
)

// Streams is what a command may touch of the process that runs it.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
	// Getenv reads the environment; nil is os.Getenv.
	Getenv func(string) string
}

// Run runs the command line args, whose first word is the name of the program,
// and returns the exit status. It returns early when ctx ends.
func Run(ctx context.Context, args []string, s Streams) int {
	x := newCall(args, s)
	words := args[1:]
	var err error
	if calledJujuExec(args[0]) {
		if words, err = x.asExec(words); words == nil {
			return x.report(ctx, err)
		}
	}
	return x.report(ctx, x.dispatch(ctx, words))
}

// dispatch finds the command, lets its flags be parsed, and runs it.
func (x *call) dispatch(ctx context.Context, args []string) error {
	args, err := leadingFlags(args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		_, err := io.WriteString(x.out, overview(x.program))
		return err
	}
	if args, err = x.inFamily(args); err != nil || args == nil {
		return err
	}
	root := x.root()
	word := args[0]
	if !knownWord(root, word) {
		return x.unknown(ctx, root, args)
	}
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

// inFamily joins the two words of a command that has two. The first alone, or with
// -h, lists the family; then there is nothing left to run.
func (x *call) inFamily(args []string) ([]string, error) {
	family := family(args[0])
	if len(family) == 0 {
		return args, nil
	}
	at := 1
	for at < len(args) && strings.HasPrefix(args[at], "-") && args[at] != "-h" && args[at] != "--help" {
		at++
	}
	if at == len(args) || args[at] == "-h" || args[at] == "--help" {
		x.print(familyText(x.program, args[0], family))
		return nil, nil
	}
	for _, c := range family {
		if c.name == args[0]+" "+args[at] {
			return slices.Concat([]string{c.word()}, args[1:at], args[at+1:]), nil
		}
	}
	return nil, usagef("%s %s has no command %q; it has %s", x.program, args[0], args[at], strings.Join(ownWords(family), ", "))
}

// family are the commands of two words that begin with word.
func family(word string) []*command {
	var list []*command
	for _, c := range commands() {
		if first, _, two := strings.Cut(c.name, " "); two && first == word {
			list = append(list, c)
		}
	}
	return list
}

// ownWords are the second words of a family.
func ownWords(family []*command) []string {
	var words []string
	for _, c := range family {
		_, own, _ := strings.Cut(c.name, " ")
		words = append(words, own)
	}
	return words
}

// leadingFlags takes the flags before the command word: the few that every
// command has move behind it, any other is a mistake (section 1.5).
func leadingFlags(args []string) ([]string, error) {
	var before []string
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch arg := args[0]; arg {
		case "--version":
			return []string{"version"}, nil
		case "-h", "--help":
			return append([]string{"help"}, args[1:]...), nil
		case "--debug", "-q", "--quiet", "-v", "--verbose", "--show-log":
			before = append(before, arg)
		default:
			name, _, _ := strings.Cut(arg, "=")
			return nil, usagef("option provided but not defined: %s", name)
		}
		args = args[1:]
	}
	if len(args) == 0 {
		return nil, nil
	}
	return append(append([]string{args[0]}, before...), args[1:]...), nil
}

// root is the parser of the whole command line.
func (x *call) root() *cobra.Command {
	root := &cobra.Command{
		Use:               x.program,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetIn(x.in)
	root.SetOut(x.out)
	root.SetErr(x.err)
	root.SetHelpCommand(&cobra.Command{Hidden: true})
	for _, c := range commands() {
		root.AddCommand(c.cobra(x))
	}
	x.addFamilies(root)
	return root
}

// addFamilies adds the commands of two words once more, the second below the first. They
// are run as one word (see inFamily); these are what a shell asks for proposals.
func (x *call) addFamilies(root *cobra.Command) {
	families := map[string]*cobra.Command{}
	for _, c := range commands() {
		first, own, two := strings.Cut(c.name, " ")
		if !two {
			continue
		}
		if families[first] == nil {
			families[first] = &cobra.Command{Use: first, Short: string(c.group), Run: func(*cobra.Command, []string) {}}
			root.AddCommand(families[first])
		}
		cc := c.cobra(x)
		cc.Use, cc.Hidden = strings.TrimSpace(own+" "+c.args), c.hidden
		families[first].AddCommand(cc)
	}
}

// knownWord reports whether word names a command of ours or of the completion machinery.
func knownWord(root *cobra.Command, word string) bool {
	if word == cobra.ShellCompRequestCmd || word == cobra.ShellCompNoDescRequestCmd {
		return true
	}
	for _, c := range root.Commands() {
		if c.Name() == word || c.HasAlias(word) {
			return true
		}
	}
	return false
}

// unknown answers a word that is no command: a plugin on PATH, a command of
// Juju's that we do not have, a slip of the fingers (section 1.6).
func (x *call) unknown(ctx context.Context, root *cobra.Command, args []string) error {
	word := args[0]
	if path, err := exec.LookPath(x.program + "-" + word); err == nil && !strings.ContainsRune(word, filepath.Separator) {
		return x.plugin(ctx, path, args[1:])
	}
	if jujuOnly[word] {
		return kith.Errorf(kith.Invalid, "command %q is not supported", word).
			WithHint("kith is about integrations; '%s help' lists what it does", x.program)
	}
	root.SuggestionsMinimumDistance = 2
	if near := root.SuggestionsFor(word); len(near) > 0 {
		return kith.Errorf(kith.Invalid, "%s: %q is not a %s command. See \"%s --help\".\n\nDid you mean:\n\t%s",
			x.program, word, x.program, x.program, near[0])
	}
	return kith.Errorf(kith.Invalid, "unrecognized command: %s %s", x.program, word)
}

// unknownTopic answers help on something that is no command.
func (x *call) unknownTopic(word string) error {
	return kith.Errorf(kith.Invalid, "unknown command or topic for %s", word).WithHint("'%s help' lists them", x.program)
}

// plugin runs an executable from PATH in place of a command.
func (x *call) plugin(ctx context.Context, path string, args []string) error {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = x.in, x.out, x.err
	var exit *exec.ExitError
	if err := cmd.Run(); errors.As(err, &exit) {
		return &silentError{exit.ExitCode()}
	} else if err != nil {
		return fmt.Errorf("cannot run %s: %w", path, err)
	}
	return nil
}

// interrupted is the exit status of a command that Ctrl-C ended, as shells have it.
const interrupted = 130

// report says what went wrong and returns the exit status.
func (x *call) report(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	var silent *silentError
	if errors.As(err, &silent) {
		return silent.status
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(x.err, x.errColor.red("ERROR")+" interrupted")
		return interrupted
	}
	var usage *usageError
	bad := errors.As(err, &usage)
	if !bad && x.document() && x.out.n == 0 {
		fmt.Fprintln(x.out, "{}") // section 1.3
	}
	fmt.Fprintln(x.err, x.errColor.red("ERROR")+" "+err.Error())
	if hint := kith.HintOf(err); hint != "" {
		// The controller does not know what the program was called as.
		fmt.Fprintln(x.err, "hint: "+strings.ReplaceAll(hint, "'kith ", "'"+x.program+" "))
	}
	if bad {
		return 2
	}
	return 1
}

// programName is what the program was called as: juju under that name, else kith.
func programName(arg0 string) string {
	if strings.TrimSuffix(filepath.Base(arg0), ".exe") == "juju" {
		return "juju"
	}
	return "kith"
}

// counted is a writer that knows whether anything was written.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// OSStreams are the streams of this process.
func OSStreams() Streams {
	return Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv}
}
