package main

import "github.com/spf13/cobra"

func newTarget() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "target",
		Short: "The embedded iSCSI target, for trials, tests and benchmarks",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef("target: want a subcommand: serve")
		},
	}
	cmd.AddCommand(newTargetServe())
	return cmd
}
