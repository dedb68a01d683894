package cli

import (
	"context"
)

func completionCommand() *command {
	shells := []string{"bash", "fish", "zsh"}
	return &command{
		name: "completion", args: "bash|fish|zsh", group: groupOther, scope: noScope,
		summary: "Prints a completion script for a shell",
		details: `With it the shell completes commands, flags, and the names of models, applications,
units, endpoints and relations, which it asks the controller for.`,
		examples: []example{
			{"completion bash > ~/.local/share/bash-completion/completions/kith", "For bash"},
			{"completion zsh > ~/.zfunc/_kith", "For zsh, with ~/.zfunc in fpath"},
			{"completion fish > ~/.config/fish/completions/kith.fish", "For fish"},
		},
		check: func(_ *call, args []string) error {
			if len(args) == 0 {
				return usagef("no shell specified")
			}
			for _, s := range shells {
				if s == args[0] {
					return atMost(1)(nil, args)
				}
			}
			return usagef("unknown shell %q, expected bash, fish or zsh", args[0])
		},
		complete: firstArg(func(context.Context, *call, []string) []string { return shells }),
		run: func(_ context.Context, x *call, args []string) error {
			root := x.root()
			switch args[0] {
			case "bash":
				x.print(bashWords)
				return root.GenBashCompletionV2(x.out, true)
			case "fish":
				return root.GenFishCompletion(x.out, true)
			default:
				return root.GenZshCompletion(x.out)
			}
		},
	}
}

// bashWords stands in for the one function of the package bash-completion that the script wants, where
// that is not installed: each Tab would print an error.
const bashWords = `# Without the package bash-completion: the words up to the cursor, in one piece
# where bash splits them at = and :.
if ! declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref()
    {
        local line=${COMP_LINE:0:COMP_POINT}
        read -ra words <<<"$line"
        [[ $line == *[[:space:]] ]] && words+=("")
        cword=$((${#words[@]} - 1))
        cur=${words[cword]} prev=${words[cword > 0 ? cword - 1 : 0]}
    }
fi

`
