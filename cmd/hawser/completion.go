package main

import "github.com/spf13/cobra"

// newCompletion is in the place of cobra's own, which speaks of other systems too.
func newCompletion() *cobra.Command {
	return &cobra.Command{
		Use:   "completion {bash | zsh | fish | powershell}",
		Short: "Print the script that completes commands, flags and volumes in a shell",
		Long: `Print the script by which a shell completes the commands, their flags, and the names of the volumes there are. For bash it needs the
package bash-completion, and 'make install' has put it where that looks for it; a zsh needs 'autoload -U compinit; compinit' before.`,
		Example: `  source <(hawser completion bash)
  hawser completion zsh > "${fpath[1]}/_hawser"
  hawser completion fish > ~/.config/fish/completions/hawser.fish`,
		ValidArgs: []cobra.Completion{"bash", "zsh", "fish", "powershell"},
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			w := cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return cmd.Root().GenBashCompletionV2(w, true)
			case "zsh":
				return cmd.Root().GenZshCompletion(w)
			case "fish":
				return cmd.Root().GenFishCompletion(w, true)
			}
			return cmd.Root().GenPowerShellCompletionWithDesc(w)
		},
	}
}
