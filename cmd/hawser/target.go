package main

import "github.com/spf13/cobra"

func newTarget() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "target",
		Short: "The embedded iSCSI target, for trials, tests and benchmarks",
		Long: `The embedded iSCSI target: it needs neither root nor a kernel module. It is for trials, tests and benchmarks, not for data that anybody
would miss.`,
		Example: "  hawser target serve --lun ram:1G",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef("target: want a subcommand: serve")
		},
	}
	cmd.AddCommand(newTargetServe())
	return cmd
}
